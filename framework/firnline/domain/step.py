"""A step is what a plugin offers: an id, typed ports, a params model and the function that does the work."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args, get_origin, get_type_hints

from firnline.domain.artifact import ARTIFACT_KINDS, Port
from firnline.domain.context import StepContext
from firnline.domain.params import Params
from firnline.domain.platform import Platform

RunsIn: TypeAlias = Literal["thread", "process"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceContext:
    """What a source step may look at to tell the state of what it reads.

    Attributes:
        project: the project folder; relative paths in params are relative to it.
        open_platform: opens the platform; call it only if the state cannot be told without.
    """

    project: Path
    open_platform: Callable[[], Platform] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSpec:
    """What a plugin registers for a step.

    Attributes:
        id: ``area.name``, for example ``train.xgboost``; unique among all installed plugins.
        run: the function, or ``"module:function"``, which is imported at first use (keep SDKs there). It is called as
            ``run(context, params, **inputs)`` and returns a mapping port → artifact, or the artifact itself when the
            step has one output.
        summary: one sentence.
        params: the pydantic model of the stage's ``params``.
        inputs: port name → port.
        outputs: port name → port.
        runs_in: ``thread`` for work that waits on the platform, ``process`` for work that burns local CPU. A step in a
            process must be importable (no lambda) and has no session.
        platform: whether it uses the platform's session.
        source: for steps that read something outside of the pipeline: the function (or ``"module:function"``) that
            returns the state of what they read; called as ``source(params, SourceContext)`` while planning.
        reusable: whether an earlier output with the same key may be taken.
        modules: import names that must be installed.
        extra: the extra of Firnline (or the distribution) that installs them.
        version: raise it to make earlier outputs stale although the code looks the same.
    """

    id: str
    run: Callable[..., Any] | str
    summary: str
    params: type[Params] = Params
    inputs: Mapping[str, Port] = field(default_factory=dict)
    outputs: Mapping[str, Port] = field(default_factory=dict)
    runs_in: RunsIn = "thread"
    platform: bool = False
    source: Callable[[Any, SourceContext], str] | str | None = None
    reusable: bool = True
    modules: tuple[str, ...] = ()
    extra: str | None = None
    version: int = 1


def load_callable(reference: Callable[..., Any] | str) -> Callable[..., Any]:
    """Return the function behind ``"module:function"``; a function is returned as it is."""
    if not isinstance(reference, str):
        return reference
    module, _, name = reference.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function


def step(
    id: str,  # noqa: A002 (the field's name everywhere)
    *,
    outputs: Mapping[str, type] | type | None = None,
    **options: Any,
) -> Callable[[Callable[..., Any]], StepSpec]:
    """Make a :class:`StepSpec` from a function, reading ports and params from its signature.

    The first parameter takes the context, the second the params (annotated with a :class:`Params` class), each further
    one is an input port annotated with an artifact class; ``X | None`` makes it optional, ``list[X]`` takes many. The
    return annotation is the one output, named after its kind in lower case, unless ``outputs`` names them.

    Raises:
        TypeError: if an annotation is missing or is no artifact class.
    """

    def make(function: Callable[..., Any]) -> StepSpec:
        hints = get_type_hints(function)
        names = list(inspect.signature(function).parameters)
        if len(names) < 2 or not _is(hints.get(names[0]), StepContext) or not _is(hints.get(names[1]), Params):
            raise TypeError(f"step {id!r}: the first two parameters must be annotated StepContext and a Params class")
        declared: Mapping[str, type] = {}
        result = outputs if outputs is not None else hints.get("return")
        if isinstance(result, type) and result is not type(None):
            declared = {result.__name__.lower(): result}
        elif isinstance(result, Mapping):
            declared = result
        return StepSpec(
            id=id,
            run=function,
            summary=(inspect.getdoc(function) or "").partition("\n")[0],
            params=hints[names[1]],
            inputs={name: _input_port(id, name, hints.get(name)) for name in names[2:]},
            outputs={name: Port(kind=_kind(id, name, kind)) for name, kind in declared.items()},
            **options,
        )

    return make


def _is(hint: Any, expected: type) -> bool:
    return isinstance(hint, type) and issubclass(hint, expected)


def _kind(step_id: str, port: str, hint: Any) -> type:
    if isinstance(hint, type) and hint in ARTIFACT_KINDS.values():
        return hint
    raise TypeError(f"step {step_id!r}: port {port!r} must be annotated with one of {', '.join(ARTIFACT_KINDS)}")


def _input_port(step_id: str, name: str, hint: Any) -> Port:
    arguments = get_args(hint)
    if get_origin(hint) is list:
        return Port(kind=_kind(step_id, name, arguments[0]), many=True)
    if type(None) in arguments:
        [inner] = [argument for argument in arguments if argument is not type(None)]
        return Port(kind=_kind(step_id, name, inner), optional=True)
    return Port(kind=_kind(step_id, name, hint))
