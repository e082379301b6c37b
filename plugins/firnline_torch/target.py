"""What kind of target a column is, and its classes: told by the profile, or by the training rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from firnline.domain import quote_name
from firnline.errors import DataError
from firnline_torch.columns import FEATURE_KINDS, value_sql

if TYPE_CHECKING:
    from snowflake.snowpark import Session

    from firnline.domain import Task
    from firnline_torch.columns import Kind

MOST_NUMERIC_CLASSES: Final = 10
"""Up to so many different whole numbers are taken for classes."""
MOST_CLASSES: Final = 100
POSITIVE_WORDS: Final = frozenset(
    {"yes", "y", "true", "t", "1", "positive", "pos", "churned", "bad", "default", "fraud"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The column to predict.

    Attributes:
        name: as the platform spells it.
        kind: of its values.
        task: ``binary``, ``multiclass`` or ``regression``.
        classes: the labels; of two, the positive one is last. Empty for regression.
    """

    name: str
    kind: Kind
    task: Task
    classes: tuple[Any, ...] = ()


def find_target(
    session: Session, table: str, name: str, kind: Kind, task: Literal["auto", "classification", "regression"]
) -> Target:
    """Look at the values of the training rows.

    Raises:
        DataError: they are no target that can be learned.
    """
    if kind not in FEATURE_KINDS:
        raise DataError(f"the target {name!r} is neither number, flag nor text", hint="cast it in an earlier stage")
    found = count_labels(session, table, name, kind)
    if len(found) < 2:
        seen = "no value" if not found else f"one value only, {next(iter(found))!r}"
        raise DataError(f"the target {name!r} has {seen}", hint="a model needs rows of at least two kinds")
    whole = kind == "number" and all(float(value).is_integer() for value in found)
    few = len(found) == 2 or (whole and len(found) <= MOST_NUMERIC_CLASSES)
    if task == "regression" or (task == "auto" and kind == "number" and not few):
        if kind == "text":
            raise DataError(f"the target {name!r} holds text, so there is no amount to predict", hint="task: auto")
        return Target(name=name, kind=kind, task="regression")
    if len(found) > MOST_CLASSES:
        raise DataError(
            f"the target {name!r} has more than {MOST_CLASSES} different values, too many for classes",
            hint="is it the right column?",
        )
    labels = sorted(_label(value, kind) for value in found)
    if len(labels) == 2:
        known = [label for label in labels if str(label).lower() in POSITIVE_WORDS]
        positive = known[0] if len(known) == 1 else labels[-1]
        labels.sort(key=lambda label: label == positive)
    return Target(name=name, kind=kind, task="binary" if len(labels) == 2 else "multiclass", classes=tuple(labels))


def count_labels(session: Session, table: str, name: str, kind: Kind) -> dict[Any, int]:
    """Return how often each value stands in the table; at most one value more than there may be classes."""
    rows = session.sql(
        f"SELECT {value_sql(name, kind)} AS LABEL, COUNT(*) AS N FROM {table} "  # noqa: S608 (quoted)
        f"WHERE {quote_name(name)} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_CLASSES + 1}"
    ).collect()
    return {row[0]: int(row[1]) for row in rows}


def _label(value: Any, kind: Kind) -> Any:
    if kind == "flag":
        return bool(value)
    if kind == "number":
        return int(value) if float(value).is_integer() else float(value)
    return value
