"""What was used, from query tags and attribution history. These queries run on the session's warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snowflake.snowpark import Session

Dimension: TypeAlias = Literal["pipeline", "stage", "run", "team", "model", "day", "warehouse"]
_USAGE: Final = "SNOWFLAKE.ACCOUNT_USAGE"
_TAG: Final = "TRY_PARSE_JSON(A.QUERY_TAG)"
_EXPRESSIONS: Final[dict[str, str]] = {
    **{name: f"{_TAG}:{name}::VARCHAR" for name in ("pipeline", "stage", "run", "team", "model")},
    "day": "TO_VARCHAR(TO_DATE(A.START_TIME))",
    "warehouse": "A.WAREHOUSE_NAME",
}
DIMENSIONS: Final = tuple(_EXPRESSIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Credits of one group of statements.

    Attributes:
        group: a value for each dimension, in their order; empty where the tag has none.
        credits: what they took of their warehouses while they ran.
        statements: how many they were.
    """

    group: tuple[str, ...]
    credits: float
    statements: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRun:
    """One run of a stage on a size of warehouse: the seconds of its statements, and their credits."""

    pipeline: str
    stage: str
    run: str
    size: str
    seconds: float
    credits: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseUse:
    """What a warehouse used, and how much of it was for statements; the rest was idling and the least minute."""

    name: str
    credits: float
    by_statements: float

    @property
    def idle_share(self) -> float:
        """The share that no statement was for."""
        return max(1 - self.by_statements / self.credits, 0.0) if self.credits > 0 else 0.0


def spent_by(session: Session, dimensions: Sequence[Dimension], days: int, **only: str | None) -> list[Spent]:
    """Add up the credits of Firnline's statements by dimensions, the most expensive first.

    Args:
        session: where to ask.
        dimensions: by what.
        days: how far back.
        only: dimension → the value that it must have.
    """
    from firnline.domain import quote_constant

    groups = ", ".join(f"COALESCE({_EXPRESSIONS[name]}, '') AS D{place}" for place, name in enumerate(dimensions))
    places = ", ".join(str(place + 1) for place in range(len(dimensions)))
    wanted = [
        f"{_EXPRESSIONS[name]} = {quote_constant(value)}" for name, value in sorted(only.items()) if value is not None
    ]
    rows = session.sql(
        f"SELECT {groups}, SUM(A.CREDITS_ATTRIBUTED_COMPUTE)::FLOAT AS CREDITS, COUNT(*) AS STATEMENTS "  # noqa: S608 (quoted)
        f"FROM {_USAGE}.QUERY_ATTRIBUTION_HISTORY A WHERE {' AND '.join([_ours(days), *wanted])} "
        f"GROUP BY {places} ORDER BY CREDITS DESC, {places}"
    ).collect()
    count = len(dimensions)
    return [
        Spent(
            group=tuple(str(value) for value in row[:count]), credits=float(row[count]), statements=int(row[count + 1])
        )
        for row in rows
    ]


def stage_runs(session: Session, days: int, pipeline: str | None = None) -> list[StageRun]:
    """Return each run of each stage on each size of warehouse."""
    from firnline.domain import quote_constant

    names = ("pipeline", "stage", "run")
    groups = ", ".join(f"{_EXPRESSIONS[name]} AS {name.upper()}_NAME" for name in names)
    only = f" AND {_EXPRESSIONS['pipeline']} = {quote_constant(pipeline)}" if pipeline is not None else ""
    rows = session.sql(
        f"SELECT {groups}, Q.WAREHOUSE_SIZE AS SIZE, SUM(Q.TOTAL_ELAPSED_TIME) / 1000 AS SECONDS, "  # noqa: S608 (quoted)
        f"SUM(A.CREDITS_ATTRIBUTED_COMPUTE)::FLOAT AS CREDITS FROM {_USAGE}.QUERY_ATTRIBUTION_HISTORY A "
        f"JOIN {_USAGE}.QUERY_HISTORY Q ON A.QUERY_ID = Q.QUERY_ID "
        f"WHERE {_ours(days)} AND {_TAG}:stage::VARCHAR <> 'guard'{only} "
        "AND LOWER(Q.EXECUTION_STATUS) = 'success' GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
    ).collect()
    return [
        StageRun(pipeline=row[0], stage=row[1], run=row[2], size=row[3], seconds=float(row[4]), credits=float(row[5]))
        for row in rows
        if row[1] is not None and row[2] is not None
    ]


def warehouse_use(session: Session, days: int) -> list[WarehouseUse]:
    """Return what each warehouse used, whoever used it."""
    rows = session.sql(
        "SELECT WAREHOUSE_NAME, SUM(CREDITS_USED_COMPUTE)::FLOAT, SUM(CREDITS_ATTRIBUTED_COMPUTE_QUERIES)::FLOAT "  # noqa: S608 (a number)
        f"FROM {_USAGE}.WAREHOUSE_METERING_HISTORY WHERE START_TIME >= DATEADD('day', -{days}, CURRENT_TIMESTAMP()) "
        "GROUP BY 1 ORDER BY 2 DESC"
    ).collect()
    return [WarehouseUse(name=row[0], credits=float(row[1]), by_statements=float(row[2] or 0.0)) for row in rows]


def _ours(days: int) -> str:
    return f"{_TAG}:tool::VARCHAR = 'firnline' AND A.START_TIME >= DATEADD('day', -{days}, CURRENT_TIMESTAMP())"
