"""What planning asks of the past: the record's store answers, and neither knows the other."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierOutput:
    """The output of a finished stage.

    Attributes:
        run_id: the run that made it.
        outputs: port → artifact as JSON data.
        metrics: the numbers in it.
        intact: whether all its files are still there (tables are asked of the platform).
    """

    run_id: str
    outputs: Mapping[str, Any]
    metrics: Mapping[str, float] = field(default_factory=dict)
    intact: bool = True

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables among the outputs."""
        return tuple(artifact["name"] for artifact in self.outputs.values() if artifact["kind"] == "Table")

    def rows(self, port: str) -> int | None:
        """Return the rows of the table at an output port; None if it is no table, or nobody counted them."""
        rows = self.outputs.get(port, {}).get("rows")
        return int(rows) if rows is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierStage:
    """How a stage of this name was planned the last time that it ran or was reused.

    Attributes:
        run_id: that run.
        status: what became of it.
        step: the step's id.
        parts: what its key was made of.
        params: its params.
    """

    run_id: str
    status: str
    step: str
    parts: Mapping[str, str]
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSample:
    """One earlier run of a stage.

    Attributes:
        run_id: the run.
        seconds: how long the stage took.
        rows: rows of the tables that it took in; None if that is not known.
    """

    run_id: str
    seconds: float
    rows: int | None = None


class History(Protocol):
    """The past of a project."""

    def outputs(self, keys: Collection[str]) -> Mapping[str, EarlierOutput]:
        """Return the newest finished output of each key that has one."""

    def stages(self, pipeline: str) -> Mapping[str, EarlierStage]:
        """Return stage name → how it was planned the last time, for one pipeline."""

    def durations(self, pipeline: str) -> Mapping[tuple[str, str], Sequence[float]]:
        """Return (stage, step) → seconds of its latest finished runs, newest first, at most 20."""

    def samples(self, pipeline: str) -> Mapping[tuple[str, str], Sequence[StageSample]]:
        """Return (stage, step) → its latest finished runs, newest first, at most 20."""
