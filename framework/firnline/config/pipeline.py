"""A checked configuration: everything in it is known to exist and to fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from firnline.config.composed import Composed
from firnline.config.settings import SweepNode
from firnline.domain import Link, Params, PlatformSpec, Retry, StepSpec
from firnline.loading import Offer


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedStage:
    """One stage whose step, params and inputs are valid.

    Attributes:
        name: the stage's name.
        offer: the step and the plugin that offers it.
        params: the validated params.
        inputs: input port → the output ports that feed it.
        resources: what it asks the platform for.
        retry: what to do on transient errors.
        timeout_s: seconds that one attempt may take.
    """

    name: str
    offer: Offer[StepSpec]
    params: Params
    inputs: Mapping[str, tuple[Link, ...]] = field(default_factory=dict)
    resources: Mapping[str, Any] = field(default_factory=dict)
    retry: Retry = field(default_factory=Retry)
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedPipeline:
    """A pipeline that can be planned.

    Attributes:
        name: the pipeline's name.
        platform: the platform and the plugin that offers it.
        platform_params: its validated params.
        workers: stages that may run at once.
        stages: in an order in which every stage comes after those that it takes from.
        store: the folder of records and artifacts, absolute.
        sweep: by what jobs of a multirun are ranked.
        composed: what it was made from.
    """

    name: str
    platform: Offer[PlatformSpec]
    platform_params: Params
    workers: int
    stages: tuple[CheckedStage, ...]
    store: Path
    sweep: SweepNode
    composed: Composed

    @property
    def uses_platform(self) -> bool:
        """Whether any stage needs the platform's session."""
        return any(stage.offer.spec.platform for stage in self.stages)
