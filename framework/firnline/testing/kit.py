"""Turn the checks into tests: one call in a plugin's test file, one test for each check and step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from firnline.domain import StepSpec
from firnline.loading import missing_modules
from firnline.testing.cases import Case
from firnline.testing.checks import PLUGIN_CHECKS, RUN_CHECKS, STEP_CHECKS, PluginCheck, RunCheck, StepCheck
from firnline.testing.rehearsal import rehearse
from firnline.testing.subject import Subject, load_subject

Check: TypeAlias = PluginCheck | StepCheck | RunCheck


def conformance(
    plugin: str,
    *,
    module: str | None = None,
    conf: str | None = None,
    cases: Mapping[str, Case] | None = None,
    expected_failures: Mapping[str, str] | None = None,
) -> Callable[..., None]:
    """Return a test function with one test for each check that applies to the plugin and to each of its steps.

    Assign it to a name that starts with ``test_``.

    Args:
        plugin: the plugin's name: that of its entry point.
        module: what to load where the plugin is not installed.
        conf: the package with its config options, where it is not installed.
        cases: step id → a small example; without one a step is not run, and the tests that would are skipped.
        expected_failures: ``check`` or ``step id:check`` → the reason why it fails. It has to fail then.

    Raises:
        ValueError: a case or an expected failure names something that is not there.
    """
    subject = load_subject(plugin, module, conf, dict(cases or {}))
    expected = dict(expected_failures or {})
    planned = list(_planned(subject))
    _refuse_unknown(subject, expected, {name for name, _, _ in planned})

    @pytest.mark.parametrize(
        ("check", "step_id"),
        [pytest.param(check, step_id, id=name, marks=_marks(name, expected)) for name, check, step_id in planned],
    )
    def test_conformance(check: Check, step_id: str | None, tmp_path: Path) -> None:
        _run(subject, check, subject.steps[step_id] if step_id is not None else None, tmp_path)

    return test_conformance


def _planned(subject: Subject) -> Iterator[tuple[str, Check, str | None]]:
    """Yield (name, check, step id) of every check that applies."""
    for plugin_check in PLUGIN_CHECKS:
        yield plugin_check.name, plugin_check, None
    for step_id, step in sorted(subject.steps.items()):
        checks: tuple[StepCheck | RunCheck, ...] = (*STEP_CHECKS, *(RUN_CHECKS if step_id in subject.cases else ()))
        for check in checks:
            if check.applies(step):
                yield f"{step_id}:{check.name}", check, step_id
        if step_id not in subject.cases:
            # One test that is skipped stands for all that a case would make run.
            yield f"{step_id}:is_run", RUN_CHECKS[0], step_id


def _refuse_unknown(subject: Subject, expected: Mapping[str, str], known: set[str]) -> None:
    if not subject.report.healthy:
        return  # the first check says why; without steps nothing would be known
    unknown = sorted(expected.keys() - known) + sorted(subject.cases.keys() - subject.steps.keys())
    if unknown:
        raise ValueError(f"plugin {subject.plugin} has no check or step called {', '.join(unknown)}")


def _marks(name: str, expected: Mapping[str, str]) -> list[Any]:
    return [pytest.mark.xfail(reason=expected[name], strict=True)] if name in expected else []


def _run(subject: Subject, check: Check, step: StepSpec | None, folder: Path) -> None:
    if isinstance(check, PluginCheck):
        check.run(subject)
        return
    assert step is not None
    missing = missing_modules(step.modules)
    if missing and (isinstance(check, RunCheck) or check.needs_modules):
        pytest.skip(f"{', '.join(missing)} not installed (extra {step.extra})")
    if isinstance(check, StepCheck):
        check.run(subject, step)
        return
    case = subject.cases.get(step.id)
    if case is None:
        pytest.skip(f"no case for {step.id}")
    with rehearse(step, case, folder) as rehearsal:
        check.run(rehearsal, case)
