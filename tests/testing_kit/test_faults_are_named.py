from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from firnline.domain import Files, Params, Port, StepSpec, Value
from firnline.testing import Case, conformance, run_checks, step_checks
from firnline.testing.rehearsal import InjectedFailureError, Rehearsal, rehearse
from firnline.testing.subject import Subject, load_subject
from tests.testing_kit.rightful import WRONG, count, write_source

SUBJECT = load_subject("rightful", "tests.testing_kit.rightful", None, {})


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (step_checks.id_has_an_area, "'Wrong' is not like"),
        (step_checks.summary_is_present, "summary"),
        (step_checks.ports_are_declared, "port 'class' is no identifier"),
        (step_checks.params_are_documented, "no description: threshold"),
        (step_checks.params_are_strict, "unknown params are not refused"),
        (step_checks.function_takes_its_ports, r"cannot be called with \(context, params, files=…, class=…\)"),
        (step_checks.source_can_be_asked, "cannot be called with"),
        (step_checks.process_step_can_be_sent, "no session"),
        (step_checks.modules_come_with_an_extra, "needs json"),
    ],
)
def test_a_fault_of_a_declaration_is_named(check: Callable[[Subject, StepSpec], None], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check(SUBJECT, WRONG)


class Rounded(Params):
    ratio: float = 0.5

    def model_post_init(self, context: object) -> None:
        object.__setattr__(self, "ratio", self.ratio / 2)


def test_params_that_change_on_the_way_are_named() -> None:
    with pytest.raises(AssertionError, match="came back as"):
        step_checks.params_survive_json(SUBJECT, replace(WRONG, params=Rounded))


def test_a_function_in_a_function_cannot_be_sent() -> None:
    def inner() -> None: ...

    with pytest.raises(AssertionError, match="inside of a function: another process"):
        step_checks.process_step_can_be_sent(SUBJECT, replace(WRONG, platform=False, run=inner))


def rehearsed(tmp_path: Path, check: Callable[[Rehearsal, Case], None], case: Case, **changes: object) -> None:
    ports = {name: Port(kind=Files) for name in case.inputs}
    with rehearse(replace(WRONG, platform=False, inputs=ports, **changes), case, tmp_path) as rehearsal:
        check(rehearsal, case)


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (run_checks.outputs_match_ports, "it declares .* and returned|it returned"),
        (run_checks.failure_leaves_nothing_visible, "as if nothing had been"),
        (run_checks.step_can_be_cancelled, "still running 0.2 s after"),
    ],
)
def test_a_fault_of_a_run_is_named(tmp_path: Path, check: Callable[[Rehearsal, Case], None], message: str) -> None:
    case = Case(inputs={"other": Value(path=tmp_path)}, cancel_within_s=0.2)  # type: ignore[dict-item]
    outputs = {"metrics": WRONG.outputs["metrics"]} if "declares" not in message else WRONG.outputs
    with pytest.raises(AssertionError, match=message):
        rehearsed(tmp_path, check, case, outputs=outputs)


def test_metrics_that_differ_or_are_no_numbers_are_named(tmp_path: Path) -> None:
    case = Case(inputs={"other": Value(path=tmp_path)})
    outputs = {"metrics": WRONG.outputs["metrics"]}
    with pytest.raises(AssertionError, match="no finite number: ratio"):
        rehearsed(tmp_path, run_checks.outputs_match_ports, case, outputs=outputs)
    with pytest.raises(AssertionError, match="reusable=False"):
        rehearsed(tmp_path, run_checks.same_inputs_give_same_metrics, case, outputs=outputs)


def leave_rubbish(context, params):
    (context.project / "half.csv").write_text("1,", encoding="utf-8")
    context.progress("half way")
    return context.save(1)


def save_elsewhere(context, params):
    (context.project / "value.pkl").write_bytes(b"")
    return Value(path=context.project / "value.pkl")


def test_what_a_failed_step_leaves_behind_is_named(tmp_path: Path) -> None:
    outputs = {"value": Port(kind=Value)}
    with pytest.raises(AssertionError, match=r"half\.csv"):
        rehearsed(tmp_path, run_checks.failure_leaves_nothing_visible, Case(), run=leave_rubbish, outputs=outputs)


def faster_next_time(*, swallows: bool) -> Callable[..., object]:
    """Return a step that tells its progress by the clock: nine times in its first run, five in each that follows."""
    calls = itertools.chain([9], itertools.repeat(5))

    def run(context, params):
        value = context.save(1)
        for _ in range(next(calls)):
            with contextlib.suppress(InjectedFailureError) if swallows else contextlib.nullcontext():
                context.progress("going on")
        return value

    return run


def test_a_step_may_make_fewer_calls_than_the_last_time(tmp_path: Path) -> None:
    check, outputs = run_checks.failure_leaves_nothing_visible, {"value": Port(kind=Value)}
    rehearsed(tmp_path / "let out", check, Case(), run=faster_next_time(swallows=False), outputs=outputs)
    with pytest.raises(AssertionError, match="as if nothing had been"):
        rehearsed(tmp_path / "swallowed", check, Case(), run=faster_next_time(swallows=True), outputs=outputs)


def test_files_outside_of_the_attempt_are_named(tmp_path: Path) -> None:
    outputs = {"value": Port(kind=Value)}
    with pytest.raises(AssertionError, match=r"not in context\.directory"):
        rehearsed(tmp_path, run_checks.outputs_survive_json, Case(), run=save_elsewhere, outputs=outputs)


def test_a_source_that_never_rests_is_named(tmp_path: Path) -> None:
    states = iter("ab")
    restless = replace(count, source=lambda params, context: next(states))
    with (
        rehearse(restless, Case(inputs=write_source), tmp_path) as rehearsal,
        pytest.raises(AssertionError, match="'a'"),
    ):
        run_checks.source_state_is_stable(rehearsal, Case())


def test_a_plugin_that_is_not_there_fails_one_test_with_the_reason() -> None:
    subject = load_subject("nobody", "no_such_module", None, {})
    assert not subject.report.healthy
    assert "No module named 'no_such_module'" in subject.report.reason


def test_unknown_names_in_cases_and_expectations_are_refused() -> None:
    with pytest.raises(ValueError, match=r"words\.cout"):
        conformance("rightful", module="tests.testing_kit.rightful", cases={"words.cout": Case()})
    with pytest.raises(ValueError, match="key_is_stabel"):
        conformance("r", module="tests.testing_kit.rightful", expected_failures={"words.count:key_is_stabel": "no"})
