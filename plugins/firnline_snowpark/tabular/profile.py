"""What each column of a table is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from firnline_snowpark.rows import Kind, LearningTask

if TYPE_CHECKING:
    from firnline.domain import Task

Role: TypeAlias = Literal["feature", "target", "identifier", "set aside"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnProfile:
    """One column.

    Attributes:
        name: as the platform spells it.
        role: what it is for.
        kind: what its values are.
        missing: how many values are NULL.
        distinct: how many different values there are; None where they were not counted.
        low: the smallest value, as text.
        high: the largest value, as text.
        note: why it has its role, where that is not plain.
        columns: the prepared table's columns that stand for it.
    """

    name: str
    role: Role
    kind: Kind
    missing: int = 0
    distinct: int | None = None
    low: str = ""
    high: str = ""
    note: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The column to predict.

    Attributes:
        name: as the platform spells it.
        task: ``binary``, ``multiclass`` or ``regression``.
        classes: the labels; of two, the positive one is last. Empty for regression.
        counts: rows of each class, in the same order.
        missing: how many rows have no target.
        low: the smallest amount; None for classes.
        high: the largest amount; None for classes.
        note: why the task was chosen.
    """

    name: str
    task: Task
    classes: tuple[Any, ...] = ()
    counts: tuple[int, ...] = ()
    missing: int = 0
    low: float | None = None
    high: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What is known of a table.

    Attributes:
        rows: how many there are.
        target: what is predicted.
        columns: all of the table's columns, in order.
    """

    rows: int
    target: Target
    columns: tuple[ColumnProfile, ...]

    @property
    def features(self) -> tuple[str, ...]:
        """The prepared table's columns that a model learns from."""
        return tuple(name for column in self.columns if column.role == "feature" for name in column.columns)

    @property
    def identifiers(self) -> tuple[str, ...]:
        """The columns that name a row."""
        return tuple(name for column in self.columns if column.role == "identifier" for name in column.columns)

    @property
    def learning_task(self) -> LearningTask:
        """The same as a model sees it."""
        return LearningTask(
            features=self.features, target=self.target.name, task=self.target.task, classes=self.target.classes
        )
