"""The plan: a frozen value that says what will happen, and nothing is decided after it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeAlias

from firnline.domain.ids import content_hash
from firnline.domain.step import RunsIn

PLAN_VERSION = 1

Action: TypeAlias = Literal["run", "reuse", "skip"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often a stage is tried when a *transient* error stops it, with exponential back-off in between.

    Attributes:
        attempts: tries in all; 1 means no second one.
        backoff_s: seconds before the second try; doubled for each further one, up to 60.
    """

    attempts: int = 1
    backoff_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An output port of another stage that feeds an input port."""

    stage: str
    port: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Seconds that a stage is expected to take, from the history of runs.

    Attributes:
        p50_s: the median.
        p90_s: the 90th percentile.
        samples: how many earlier runs it is based on.
    """

    p50_s: float
    p90_s: float
    samples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStage:
    """One stage of a plan.

    Attributes:
        name: the stage's name.
        step: the step's id.
        plugin: the distribution that offers the step, with its version.
        where: the platform's name, or ``local``.
        runs_in: ``thread`` or ``process``.
        key: content key of the stage: step, code, params, platform and inputs.
        inputs: input port → the links that feed it.
        params: validated params as plain JSON data.
        action: ``run``, ``reuse`` (an earlier output) or ``skip`` (left out by ``--only`` / ``--from``).
        reason: why, in words.
        reuse_from: the run whose output is taken.
        parts: what the key is made of, part by part; kept to tell later what changed.
        retry: what to do on transient errors.
        timeout_s: seconds that one attempt may take; None for no limit.
        resources: what the stage asks the platform for, e.g. ``{"gpu": 1}``.
        estimate: expected time; None without history.
        credits: expected Snowflake credits (the median); None unless a guard tells.
        credits_p90: the 90th percentile of the same.
        credits_basis: what the two are made from, in words.
    """

    name: str
    step: str
    plugin: str
    where: str
    runs_in: RunsIn
    key: str
    inputs: Mapping[str, tuple[Link, ...]]
    params: Mapping[str, Any]
    action: Action
    reason: str
    reuse_from: str | None = None
    parts: Mapping[str, str] = field(default_factory=dict)
    retry: Retry = field(default_factory=Retry)
    timeout_s: float | None = None
    resources: Mapping[str, Any] = field(default_factory=dict)
    estimate: Estimate | None = None
    credits: float | None = None
    credits_p90: float | None = None
    credits_basis: str = ""

    @property
    def upstream(self) -> tuple[str, ...]:
        """Names of the stages whose outputs this one takes, each once, in order."""
        return tuple(dict.fromkeys(link.stage for links in self.inputs.values() for link in links))


def _fields(value: Any) -> dict[str, Any]:
    """Return a dataclass's fields for ``json``; ``asdict()`` would copy all that is in them first."""
    return {one.name: getattr(value, one.name) for one in fields(value)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run will do.

    Attributes:
        pipeline: the pipeline's name.
        platform: the platform's name.
        platform_params: the platform's validated params as plain JSON data.
        workers: how many stages may run at once.
        stages: in an order in which every stage comes after those that it takes from.
        overhead_credits: expected credits beside those of the stages; None unless a guard tells.
        budget_credits: credits that the run may use; None without a limit.
        version: the schema version of this value.
    """

    pipeline: str
    platform: str
    platform_params: Mapping[str, Any]
    workers: int
    stages: tuple[PlannedStage, ...]
    overhead_credits: float | None = None
    budget_credits: float | None = None
    version: int = PLAN_VERSION

    @property
    def hash(self) -> str:
        """The content hash of the whole plan."""
        return content_hash(self.to_json())

    def stage(self, name: str) -> PlannedStage:
        """Return the stage with this name; KeyError if there is none."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise KeyError(name)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON data (lists instead of tuples), for :meth:`from_json`."""
        data: dict[str, Any] = json.loads(json.dumps(self, default=_fields))
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Plan:
        """Rebuild a plan.

        Raises:
            ValueError: if the data was written by another schema version.
        """
        if data.get("version") != PLAN_VERSION:
            raise ValueError(f"the plan has schema version {data.get('version')!r}, this Firnline reads {PLAN_VERSION}")
        return cls(**{**data, "stages": tuple(_stage(stage) for stage in data["stages"])})


def _stage(data: Mapping[str, Any]) -> PlannedStage:
    inputs = {port: tuple(Link(**link) for link in links) for port, links in data["inputs"].items()}
    estimate = Estimate(**data["estimate"]) if data["estimate"] else None
    return PlannedStage(**{**data, "inputs": inputs, "retry": Retry(**data["retry"]), "estimate": estimate})
