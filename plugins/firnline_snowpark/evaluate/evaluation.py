"""What an evaluation found, as plain data for the stages that come after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firnline_snowpark.evaluate.slices import Slice
    from firnline_snowpark.rows import LearningTask


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Everything that was found; what the ``details`` port carries.

    Attributes:
        task: what was predicted.
        rows: how many rows were looked at.
        unknown: rows left out because training never saw their class.
        primary: the measure by which importances are told.
        metrics: measure → value.
        baseline: measure → value of a model that knows no features.
        intervals: measure → middle 95 % over resamples.
        importances: (column, mean loss in the primary measure, standard deviation), most important first.
        slices: parts of the rows.
        threshold: from which probability on the positive class is predicted.
        share: binary: the positive class's share of the rows.
    """

    task: LearningTask
    rows: int
    unknown: int
    primary: str
    metrics: dict[str, float]
    baseline: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    importances: list[tuple[str, float, float]]
    slices: list[Slice]
    threshold: float
    share: float | None
