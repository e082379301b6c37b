"""Tell classes from amounts by looking at the target's values, and refuse what cannot be learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from firnline.errors import DataError
from firnline_snowpark.columns import quoted
from firnline_snowpark.rows import label_sql
from firnline_snowpark.tabular.profile import Target

if TYPE_CHECKING:
    from snowflake.snowpark import Session

    from firnline_snowpark.rows import Kind

MOST_NUMERIC_CLASSES: Final = 10
"""Up to so many different whole numbers are taken for classes."""
FEWEST_ROWS: Final = 20
POSITIVE_WORDS: Final = frozenset(
    {"yes", "y", "true", "t", "1", "positive", "pos", "churned", "bad", "default", "fraud"}
)


def examine_target(
    session: Session,
    table: str,
    name: str,
    kind: Kind,
    *,
    task: Literal["auto", "classification", "regression"] = "auto",
    positive: str | float | bool | None = None,
    max_classes: int = 100,
) -> Target:
    """Find out what kind of target a column is.

    Args:
        session: where the table is.
        table: fully qualified, ready for SQL.
        name: the column, as the platform spells it.
        kind: of its values.
        task: what the user says; auto: told by the values.
        positive: of two classes, the one to look for.
        max_classes: more than this are refused.

    Raises:
        DataError: the column is empty, has one value only, too many classes, or values that are no target.
    """
    if kind not in {"number", "flag", "text"}:
        raise DataError(f"the target {name!r} holds {kind} values", hint="a target is a number, a flag or text")
    counted = _count_values(session, table, name, kind, max_classes)
    _refuse_empty(name, counted)
    chosen, note = _choose(name, kind, counted, task)
    if chosen == "regression":
        low, high = float(counted["LOW"]), float(counted["HIGH"])
        return Target(name=name, task="regression", missing=counted["MISSING"], low=low, high=high, note=note)
    if counted["DISTINCT_VALUES"] > max_classes:
        raise DataError(
            f"the target {name!r} has {counted['DISTINCT_VALUES']:,} different values, too many for classes",
            hint="is it the right column? The param max_classes allows more",
        )
    pairs = sorted(((_label(value, kind), count) for value, count in counted["VALUES"]), key=lambda pair: pair[0])
    if len(pairs) == 2:
        wanted = _positive_label([label for label, _ in pairs], positive, name)
        pairs.sort(key=lambda pair: pair[0] == wanted)
    return Target(
        name=name,
        task="binary" if len(pairs) == 2 else "multiclass",
        classes=tuple(label for label, _ in pairs),
        counts=tuple(count for _, count in pairs),
        missing=counted["MISSING"],
        note=note,
    )


def _count_values(session: Session, table: str, name: str, kind: Kind, max_classes: int) -> dict[str, Any]:
    column = quoted(name)
    broken = f"COUNT_IF({column} <> FLOOR({column}))" if kind == "number" else "0"
    bounds = f"MIN({label_sql(name, kind)}) AS LOW, MAX({label_sql(name, kind)}) AS HIGH"
    [summary] = session.sql(
        f"SELECT COUNT(*) AS N, COUNT(*) - COUNT({column}) AS MISSING, COUNT(DISTINCT {column}) AS DISTINCT_VALUES, "  # noqa: S608
        f"{broken} AS BROKEN, {bounds} FROM {table}"
    ).collect()
    values = session.sql(
        f"SELECT {label_sql(name, kind)} AS LABEL, COUNT(*) AS N FROM {table} WHERE {column} IS NOT NULL "  # noqa: S608
        f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {max_classes + 1}"
    ).collect()
    return {**summary.as_dict(), "VALUES": [(row[0], int(row[1])) for row in values]}


def _refuse_empty(name: str, counted: dict[str, Any]) -> None:
    known = counted["N"] - counted["MISSING"]
    if not known:
        raise DataError(
            f"the target {name!r} has no value in any of {counted['N']:,} rows", hint="is it the right column?"
        )
    if counted["DISTINCT_VALUES"] == 1:
        raise DataError(
            f"the target {name!r} has one value only, {counted['VALUES'][0][0]!r}, in all {known:,} rows",
            hint="a model needs rows of at least two kinds to learn from; was the file filtered?",
        )
    if known < FEWEST_ROWS:
        raise DataError(
            f"only {known} rows have a value in the target {name!r}",
            hint=f"at least {FEWEST_ROWS} are needed to train, validate and test",
        )


def _choose(
    name: str, kind: Kind, counted: dict[str, Any], task: Literal["auto", "classification", "regression"]
) -> tuple[Literal["classification", "regression"], str]:
    distinct = counted["DISTINCT_VALUES"]
    if task == "regression" and kind == "text":
        raise DataError(
            f"the target {name!r} holds text, so there is no amount to predict",
            hint="leave the param task at auto, or make the column a number",
        )
    if task != "auto":
        return task, "as the params say"
    if kind != "number":
        return "classification", f"{distinct} different values of text" if kind == "text" else "a flag"
    if distinct == 2 or (distinct <= MOST_NUMERIC_CLASSES and not counted["BROKEN"]):
        return "classification", f"only {distinct} different numbers"
    return "regression", f"{distinct:,} different numbers"


def _label(value: Any, kind: Kind) -> Any:
    if kind == "flag":
        return bool(value)
    if kind == "number":
        return int(value) if float(value).is_integer() else float(value)
    return value


def _positive_label(labels: list[Any], positive: str | float | bool | None, name: str) -> Any:
    """Return the class to look for: the one that is named, or that says yes, or the last in order."""
    if positive is None:
        known = [label for label in labels if str(label).lower() in POSITIVE_WORDS]
        return known[0] if len(known) == 1 else labels[-1]
    for label in labels:
        if str(label) == str(positive):
            return label
    raise DataError(
        f"the target {name!r} has no class {positive!r}", hint=f"its classes are {labels[0]!r} and {labels[1]!r}"
    )
