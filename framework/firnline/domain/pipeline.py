"""A checked pipeline: every step is known, and params and inputs fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from firnline.domain.guard import GuardSpec
from firnline.domain.params import Params
from firnline.domain.plan import Link, Retry
from firnline.domain.platform import PlatformSpec
from firnline.domain.step import StepSpec
from firnline.domain.tracker import ChosenTracker


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage whose step, params and inputs are valid.

    Attributes:
        name: the stage's name.
        spec: the step.
        plugin: the distribution that offers the step, with its version.
        params: the validated params.
        inputs: input port → the output ports that feed it.
        resources: what it asks the platform for.
        retry: what to do on transient errors.
        timeout_s: seconds that one attempt may take.
    """

    name: str
    spec: StepSpec
    plugin: str
    params: Params
    inputs: Mapping[str, tuple[Link, ...]] = field(default_factory=dict)
    resources: Mapping[str, Any] = field(default_factory=dict)
    retry: Retry = field(default_factory=Retry)
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """A pipeline that can be planned.

    Attributes:
        name: the pipeline's name.
        project: the project folder.
        store: the folder of records and artifacts, absolute.
        platform: the platform's spec.
        platform_params: its validated params.
        workers: stages that may run at once.
        stages: in an order in which every stage comes after those that it takes from.
        sweep_metric: by which metric (STAGE.METRIC) jobs of a multirun are ranked; None if not said.
        sweep_direction: which end is best.
        guard: the guard's spec; None without one.
        guard_params: its validated params.
        trackers: who listens to a run.
    """

    name: str
    project: Path
    store: Path
    platform: PlatformSpec
    platform_params: Params
    workers: int
    stages: tuple[Stage, ...]
    sweep_metric: str | None = None
    sweep_direction: Literal["maximize", "minimize"] = "maximize"
    guard: GuardSpec | None = None
    guard_params: Params | None = None
    trackers: tuple[ChosenTracker, ...] = ()

    @property
    def uses_platform(self) -> bool:
        """Whether any stage needs the platform's session."""
        return any(stage.spec.platform for stage in self.stages)
