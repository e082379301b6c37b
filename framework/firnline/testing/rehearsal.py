"""Run a step by itself: a folder, a platform if it wants one, a context, and doors that can be made to fail."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firnline.domain import (
    Artifact,
    Params,
    Platform,
    SourceContext,
    StepContext,
    StepSpec,
    Value,
    content_hash,
    load_callable,
)
from firnline.loading import Hooks, Registry, build_registry, load_plugins
from firnline.testing.cases import Case, Inputs
from firnline.testing.context import step_context

if TYPE_CHECKING:
    from snowflake.snowpark import Session


class InjectedFailureError(Exception):
    """Raised by a door of the context, to see what a step leaves behind when it fails there."""


@dataclass(slots=True)
class Doors:
    """Counts the calls that a step makes to its context, and fails at one of them.

    Attributes:
        fail_at: the number of the call that fails, from 1; None for none.
        calls: calls so far.
    """

    fail_at: int | None = None
    calls: int = 0

    def open(self, name: str) -> None:
        """Count a call; raise if it is the one that fails."""
        self.calls += 1
        if self.calls == self.fail_at:
            raise InjectedFailureError(f"call {self.calls} of the context, {name}, fails on purpose")


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedContext(StepContext):
    """A step context whose calls are counted."""

    doors: Doors = field(default_factory=Doors)

    def save(self, value: Any, name: str = "value.pkl") -> Value:
        """Count, then do what a context does."""
        self.doors.open("save")
        return StepContext.save(self, value, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """A step, its params, its inputs and its surroundings, ready to be run as often as needed.

    Attributes:
        step: the step.
        params: its validated params.
        inputs: input port → artifact.
        folder: a folder of its own; ``project`` in it is the project folder.
        platform: the opened platform, for steps that use one.
    """

    step: StepSpec
    params: Params
    inputs: Inputs
    folder: Path
    platform: Platform | None

    @property
    def project(self) -> Path:
        """The project folder."""
        return self.folder / "project"

    def context(self, doors: Doors | None = None, is_cancelled: Callable[[], bool] | None = None) -> WatchedContext:
        """Return the context of a new attempt."""
        doors = doors if doors is not None else Doors()
        plain = _context(self.folder, self.platform, is_cancelled, self.step)

        def open_session() -> Session:
            doors.open("session")
            return plain.open_session()

        def report(message: str, rows: int | None) -> None:
            doors.open("progress")

        def claim(table: str) -> None:
            doors.open(f"table_name, for {table}")

        fields = {name: getattr(plain, name) for name in StepContext.__dataclass_fields__}
        watched = {"open_session": open_session, "report": report, "claim": claim, "doors": doors}
        return WatchedContext(**{**fields, **watched})

    def run(self, context: StepContext) -> dict[str, Artifact]:
        """Run the step and return port → artifact; a single artifact stands for the one output."""
        unconnected: dict[str, Any] = {name: [] if port.many else None for name, port in self.step.inputs.items()}
        result = load_callable(self.step.run)(context, self.params, **{**unconnected, **self.inputs})
        if isinstance(result, Mapping):
            return dict(result)
        if result is None and not self.step.outputs:
            return {}
        assert len(self.step.outputs) == 1, f"it returned a {type(result).__name__}, not a mapping port → artifact"
        return {next(iter(self.step.outputs)): result}

    def source_state(self) -> str:
        """Ask the source for the state of what it reads."""
        assert self.step.source is not None
        context = SourceContext(project=self.project, open_platform=self._opened)
        state: str = load_callable(self.step.source)(self.params, context)
        return state

    def _opened(self) -> Platform:
        assert self.platform is not None, "a source asked for the platform, but the step says platform=False"
        return self.platform


@contextlib.contextmanager
def rehearse(step: StepSpec, case: Case, folder: Path) -> Iterator[Rehearsal]:
    """Open the platform, make the inputs, and close everything afterwards."""
    platform = open_platform(case, folder / "project") if step.platform else None
    try:
        context = _context(folder, platform, None, step)
        yield Rehearsal(
            step=step,
            params=step.params.model_validate(dict(case.params)),
            inputs=case.inputs(context) if callable(case.inputs) else case.inputs,
            folder=folder,
            platform=platform,
        )
    finally:
        if platform is not None:
            platform.close()


def open_platform(case: Case, project: Path) -> Platform:
    """Open the installed platform that a case names, with its data in the project folder."""
    loaded = load_plugins()
    registry: Registry = build_registry(loaded, Hooks(loaded))
    offer = registry.platforms.get(case.platform)
    if offer is None:
        broken = "; ".join(f"{report.label}: {report.reason}" for report in registry.plugins if not report.healthy)
        raise AssertionError(
            f"no installed plugin offers the platform {case.platform!r} ({broken or 'none is broken'})"
        )
    project.mkdir(parents=True, exist_ok=True)
    return offer.spec.open(offer.spec.params.model_validate(dict(case.platform_params)), project)


def _context(
    folder: Path, platform: Platform | None, is_cancelled: Callable[[], bool] | None, step: StepSpec
) -> StepContext:
    keys = {port: content_hash([step.id, port])[:16] for port in step.inputs}
    if platform is None:
        return step_context(folder, is_cancelled=is_cancelled, input_keys=keys)
    return step_context(
        folder,
        schema=platform.schema(),
        session=lambda: platform.session("firnline conformance"),
        is_cancelled=is_cancelled,
        input_keys=keys,
    )
