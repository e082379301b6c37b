"""Checks of a step that need not run it. Each one raises an AssertionError that says what to change."""

from __future__ import annotations

import inspect
import json
import keyword
import re
from collections.abc import Callable
from typing import Any, Final

from pydantic import ValidationError

from firnline.domain import ARTIFACT_KINDS, Params, SourceContext, StepSpec, load_callable
from firnline.testing.probe import probe_keys
from firnline.testing.subject import Subject

_ID: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


def id_has_an_area(subject: Subject, step: StepSpec) -> None:
    """Have an id such as `train.torch`: lower case, an area first."""
    assert _ID.fullmatch(step.id), f"{step.id!r} is not like `area.name`"


def summary_is_present(subject: Subject, step: StepSpec) -> None:
    """Say in one sentence what it does: `firnline steps` lists it."""
    assert step.summary.strip(), "the summary (the first line of the docstring) is empty"
    assert "\n" not in step.summary, "the summary has several lines"


def ports_are_declared(subject: Subject, step: StepSpec) -> None:
    """Declare ports whose names are identifiers and whose kinds are artifacts."""
    kinds = set(ARTIFACT_KINDS.values())
    for name, port in {**step.inputs, **step.outputs}.items():
        assert name.isidentifier() and not keyword.iskeyword(name), f"port {name!r} is no identifier"
        assert port.kind in kinds, f"port {name!r} takes {port.kind!r}, which is none of {', '.join(ARTIFACT_KINDS)}"
    special = [name for name, port in step.outputs.items() if port.optional or port.many]
    assert not special, f"output {', '.join(special)}: only inputs can be optional or many"


def params_are_documented(subject: Subject, step: StepSpec) -> None:
    """Describe every param: `firnline steps NAME` and the JSON Schema show it."""
    silent = [name for name, field in step.params.model_fields.items() if not field.description]
    assert not silent, f"no description: {', '.join(silent)} (use pydantic's Field(description=…))"


def params_are_strict(subject: Subject, step: StepSpec) -> None:
    """Refuse unknown params and stay as they are once made."""
    assert issubclass(step.params, Params), f"{step.params.__name__} does not derive from firnline.domain.Params"
    config = step.params.model_config
    assert config.get("extra") == "forbid", "unknown params are not refused: a misspelt one would be silence"
    assert config.get("frozen"), "params can be changed after they were checked"


def params_survive_json(subject: Subject, step: StepSpec) -> None:
    """Come back equal from JSON: plans are stored and passed to other processes."""
    params = example_params(subject, step)
    if params is None:
        return
    again = step.params.model_validate(json.loads(params.model_dump_json()))
    assert again == params, f"{params!r} came back as {again!r}"


def example_params(subject: Subject, step: StepSpec) -> Params | None:
    """Return the params of the step's case, or its defaults; None if it has no case and required params."""
    case = subject.cases.get(step.id)
    required = [name for name, field in step.params.model_fields.items() if field.is_required()]
    if case is None and required:
        return None
    try:
        return step.params.model_validate(dict(case.params) if case is not None else {})
    except ValidationError as error:
        raise AssertionError(f"the params of the case are not valid: {error}") from error


def function_takes_its_ports(subject: Subject, step: StepSpec) -> None:
    """Have a function that can be called as `run(context, params, **inputs)`; optional inputs may be None."""
    signature = inspect.signature(_loaded(step.run))
    try:
        signature.bind(None, None, **dict.fromkeys(step.inputs))
    except TypeError as error:
        called = ", ".join(["context", "params", *(f"{name}=…" for name in step.inputs)])
        raise AssertionError(f"the function {signature} cannot be called with ({called}): {error}") from error


def source_can_be_asked(subject: Subject, step: StepSpec) -> None:
    """Have a source function that can be called as `source(params, context)`."""
    assert step.source is not None
    signature = inspect.signature(_loaded(step.source))
    try:
        signature.bind(None, SourceContext)
    except TypeError as error:
        raise AssertionError(f"source{signature} cannot be called with (params, context): {error}") from error


def process_step_can_be_sent(subject: Subject, step: StepSpec) -> None:
    """Be importable in another process, and need no session there."""
    assert not step.platform, "a step that runs in a process has no session: runs_in='thread', or platform=False"
    if isinstance(step.run, str):
        _loaded(step.run)
        return
    where = f"{step.run.__module__}:{step.run.__qualname__}"
    assert "<" not in where, f"{where} is a lambda or inside of a function: another process cannot import it"
    # The decorator gives the function's name to the step itself; both lead to the function.
    found = _loaded(where)
    assert step.run in (found, getattr(found, "run", None)), f"{where} is not the step's function any more"


def _loaded(reference: Callable[..., Any] | str) -> Callable[..., Any]:
    try:
        return load_callable(reference)
    except (ImportError, AttributeError) as error:
        raise AssertionError(f"{reference!r} cannot be imported: {error}") from error


def modules_come_with_an_extra(subject: Subject, step: StepSpec) -> None:
    """Say which extra installs the modules that it needs."""
    assert step.extra, f"it needs {', '.join(step.modules)}, and does not say what installs them (StepSpec.extra)"


def key_is_stable(subject: Subject, step: StepSpec) -> None:
    """Have the same key in every interpreter: otherwise nothing is ever reused."""
    first, second = (probe_keys(subject.module, seed)[step.id] for seed in (1, 2))
    different = [part for part in first if first[part] != second.get(part)]
    assert not different, f"different in two interpreters: {', '.join(different)}"
