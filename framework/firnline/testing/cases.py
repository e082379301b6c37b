"""What the author of a plugin tells the conformance kit about a step: how to run it small."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from firnline.domain import Artifact, StepContext

Inputs: TypeAlias = Mapping[str, Artifact | list[Artifact]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One small example of a step, fast enough to be run several times.

    Attributes:
        params: params as they would stand in a config.
        inputs: input port → artifact, or a function that makes them. It gets a context of its own, with which it can
            create tables and files.
        platform: the platform to run on, for steps that use one.
        platform_params: its params, as they would stand in a config.
        cancel_within_s: how many seconds the step may go on after it was told to stop.
    """

    params: Mapping[str, Any] = field(default_factory=dict)
    inputs: Inputs | Callable[[StepContext], Inputs] = field(default_factory=dict)
    platform: str = "sandbox"
    platform_params: Mapping[str, Any] = field(default_factory=dict)
    cancel_within_s: float = 10.0
