"""All problems at once, readable at any width, without a trace of markup or colour codes from the data."""

from __future__ import annotations

import pytest

from firnline.cli.render.problems import render_error, render_problems
from firnline.errors import ConfigError, PlatformError, Problem, UsageError
from tests.core.samples import shown

PROBLEMS = (
    Problem(
        path="train.params.max_dept",
        message="train.xgboost has no param of this name",
        value="6",
        source="the command line (train.params.max_dept=6)",
        expected="one of colsample_bytree, early_stopping_rounds, eta, max_depth, min_child_weight, subsample",
        nearest="train.params.max_depth",
        hint="firnline steps train.xgboost shows all params",
    ),
    Problem(path="train.params.eta", message="must be at most 1", value="[red]7\x1b[31m", source="conf/churn.yaml:12"),
    Problem(path="evaluate.inputs.model", message="no stage gives this", value="trian.model", nearest="train.model"),
)


def test_problems_at_80_columns() -> None:
    assert shown(render_problems(PROBLEMS)) == (
        """\
✗ 3 problems in the configuration; nothing ran.

train

1. train.params.max_dept
   train.xgboost has no param of this name
     value     6
     from      the command line (train.params.max_dept=6)
     expected  one of colsample_bytree, early_stopping_rounds, eta, max_depth,
               min_child_weight, subsample
     nearest   train.params.max_depth
     hint      firnline steps train.xgboost shows all params

2. train.params.eta
   must be at most 1
     value  [red]7\\x1b[31m
     from   conf/churn.yaml:12

evaluate

3. evaluate.inputs.model
   no stage gives this
     value    trian.model
     nearest  train.model"""
    )


def test_problems_at_140_columns_need_no_second_line() -> None:
    text = shown(render_problems(PROBLEMS), 140)
    assert "min_child_weight, subsample" in text
    assert max(len(line) for line in text.splitlines()) <= 140


@pytest.mark.parametrize("width", [20, 40, 80, 140])
def test_nothing_is_lost_at_any_width(width: int) -> None:
    joined = "".join(shown(render_problems(PROBLEMS), width).split())
    for problem in PROBLEMS:
        assert problem.path in joined
        assert problem.message.replace(" ", "") in joined


def test_a_single_group_needs_no_heading() -> None:
    assert shown(render_problems(PROBLEMS[:1])).splitlines()[:3] == [
        "✗ 1 problem in the configuration; nothing ran.",
        "",
        "1. train.params.max_dept",
    ]


def test_colour_only_on_a_terminal() -> None:
    assert "\x1b[" not in shown(render_problems(PROBLEMS))
    on_terminal = shown(render_problems(PROBLEMS), terminal=True)
    assert "\x1b[1" in on_terminal
    assert "7\\x1b[31m" in on_terminal, "escape codes from a config value are spelt out"


def test_a_huge_value_is_cut() -> None:
    text = shown(render_problems((Problem(path="a", message="too long", value="x" * 100_000),)))
    assert len(text) < 1_000
    assert "…" in text


def test_many_problems_are_numbered_in_line() -> None:
    lines = shown(render_problems(tuple(Problem(path=f"s.p{i}", message="wrong") for i in range(11)))).splitlines()
    assert " 1. s.p0" in lines
    assert "11. s.p10" in lines


def test_errors_show_message_and_hint() -> None:
    text = shown(render_error(UsageError("there is no run [bold]7[/]", hint="`firnline runs list` shows all")))
    assert text == "error: there is no run [bold]7[/]\nhint: `firnline runs list` shows all"
    assert shown(render_error(PlatformError("no route"))) == "error: no route"


def test_config_errors_are_shown_as_problems() -> None:
    assert shown(render_error(ConfigError(PROBLEMS))) == shown(render_problems(PROBLEMS))
