"""What is typed after the verb: flags in any place, and overrides that Hydra refuses told with all other problems."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firnline.app import all_problems
from firnline.config import compose, first_choices, split_arguments
from firnline.errors import ConfigError, Problem, UsageError
from tests.core.conftest import DIAMOND, Project

FLAGS = (("-m",), ("--cfg", "job"), ("--info", "searchpath"), ("--config-dir", "elsewhere"), ("--resolve",))
OVERRIDES = ("train=xgboost", "+train@b=torch", "train.params.depth=4,6", "~monitor", "hydra/launcher=joblib")


@given(st.permutations([*FLAGS, *((override,) for override in OVERRIDES)]))
def test_flags_may_stand_anywhere(order: list[tuple[str, ...]]) -> None:
    split = split_arguments([word for group in order for word in group])
    assert sorted(split.overrides) == sorted(OVERRIDES)
    assert split.overrides == tuple(group[0] for group in order if group[0] in OVERRIDES)
    assert split.is_multirun
    assert split.asks
    assert split.looks_elsewhere
    assert split.flags[split.flags.index("--cfg") + 1] == "job"
    assert split.flags[split.flags.index("--config-dir") + 1] == "elsewhere"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--mutirun"], r"no option --mutirun\nhint: did you mean --multirun\?"),
        (["--josn"], r"no option --josn\nhint: did you mean --json\?"),
        (["--cfg"], r"--cfg is followed by nothing\nhint: it takes job, hydra, all"),
        (["--cfg", "jobs"], r"--cfg is followed by 'jobs'"),
        (["--cfg", "-m"], r"--cfg is followed by nothing"),
    ],
)
def test_a_flag_that_is_not_one(arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        split_arguments(arguments, ("--json", "--quiet"))
    caught.match(message)


def test_info_needs_no_value_and_takes_none_that_is_an_override() -> None:
    split = split_arguments(["--info", "train=torch"])
    assert (split.flags, split.overrides) == (("--info",), ("train=torch",))


def test_the_first_choices_of_a_sweep() -> None:
    typed = ["a=1,2", "b.c=choice(x,y)", "d=3", "e.f=range(1,9)", "g=[1,2]", "h=interval(0,1)", "broken=["]
    assert first_choices(typed) == ["a=1", "b.c=x", "d=3", "e.f=1", "g=[1,2]", "broken=["]


def together(project: Project, *overrides: str) -> list[Problem]:
    """Return the problems of a command line that Hydra refuses."""
    with pytest.raises(ConfigError) as caught:
        compose(project.path, overrides)
    return list(all_problems(project.path, overrides, project.installed, caught.value).problems)


@pytest.fixture
def options(project: Project) -> Project:
    """The diamond, with the options ten and twenty for its left stage."""
    stages = {name: node for name, node in DIAMOND.items() if name != "left"}
    project.write(stages, defaults=["firnline", {"left": "ten"}, "_self_"])
    (project.path / "conf" / "left").mkdir()
    for name, number in (("ten", 10), ("twenty", 20)):
        text = f"uses: toy.add\ninputs: {{left: start.value}}\nparams: {{plus: {number}}}\n"
        (project.path / "conf" / "left" / f"{name}.yaml").write_text(text)
    return project


def test_everything_that_is_wrong_comes_in_one_report(options: Project) -> None:
    found = together(
        options,
        "left=twnety",
        "start.params.valeu=3",
        "executr.workers=3",
        "end.params=[",
        "rihgt=ten",
        "~right.params.plsu",
        "right.params.plus=many",
    )
    told = {problem.path: problem for problem in found}
    assert len(found) == len(told) == 7
    assert told["left"].nearest == "twenty"
    assert told["left"].expected == "one of ten, twenty"
    assert told["start.params.valeu"].nearest == "value"
    assert told["executr"].nearest == "executor"
    assert told["executr"].source == "the command line (executr.workers=3)"
    assert told["end.params"].source == "the command line (end.params=[)"
    assert told["rihgt"].nearest == "right"
    assert told["right.params.plsu"].nearest == "right.params.plus"
    assert told["right.params.plsu"].message == "there is nothing to take out"
    assert told["right.params.plus"].value == "many"


def test_a_stage_that_could_not_be_added_is_not_told_twice(options: Project) -> None:
    [problem] = together(options, "+left@challenger=zzz", "challenger.params.plus=3")
    assert problem.value == "zzz"
    found = together(options, "+left@challenger=twnety", "challenger.params.plsu=3")
    assert [problem.path for problem in found] == ["left", "challenger.params.plsu"]


def test_a_group_that_is_chosen_twice(options: Project) -> None:
    [problem] = together(options, "+left=twenty")
    assert problem.path == "left"
    assert "left=twenty" in (problem.hint or "")
    assert "+left@NAME=OPTION" in (problem.hint or "")


def test_a_later_choice_of_a_sweep_is_told_as_well(options: Project) -> None:
    refused = Problem(path="left", message="there is no option 'tne'", value="tne", expected="one of ten, twenty")
    error = ConfigError((refused,))
    found = all_problems(options.path, ["left=ten,tne", "start.params.valeu=1,2"], options.installed, error).problems
    assert [problem.path for problem in found] == ["left", "start.params.valeu"]


def test_a_launcher_says_what_installs_it(options: Project) -> None:
    [problem] = together(options, "hydra/launcher=jobilb")
    assert problem.path == "hydra/launcher"
    assert "basic" in (problem.expected or "")


def test_what_cannot_be_resolved_hides_nothing_else(options: Project) -> None:
    with pytest.raises(ConfigError) as caught:
        options.plan("start.params.path=${data.nowhere}", "left.params.plus=many", "right.params.plus=???")
    told = {problem.path: problem for problem in caught.value.problems}
    assert set(told) == {"start.params.path", "left.params.plus", "right.params.plus"}
    assert told["start.params.path"].source == "the command line (start.params.path=${data.nowhere})"
    assert told["right.params.plus"].message == "a value must be given"


def test_an_option_s_file_is_the_source_of_its_values(options: Project) -> None:
    (options.path / "conf" / "left" / "odd.yaml").write_text(
        "uses: toy.add\ninputs: {left: start}\nparams:\n  plus: many\n"
    )
    with pytest.raises(ConfigError) as caught:
        options.plan("left=odd", "right.param.plus=1")
    told = {problem.path: problem.source for problem in caught.value.problems}
    assert told == {
        "left.params.plus": "conf/left/odd.yaml:4",
        "right.param": "the command line (right.param.plus=1)",
    }


def test_a_misspelt_option_in_a_file_hides_nothing_else(options: Project) -> None:
    folder = options.path / "conf" / "pipeline"
    folder.mkdir()
    (folder / "sums.yaml").write_text(
        "# @package _global_\ndefaults:\n  - override /left: twnety\nstart:\n  params: {valeu: 3}\n"
    )
    config = options.path / "conf" / "config.yaml"
    config.write_text(config.read_text().replace("- left: ten\n", "- left: ten\n- pipeline: sums\n"))
    told = {problem.path: problem for problem in together(options, "right.params.plsu=3")}
    assert set(told) == {"left", "start.params.valeu", "right.params.plsu"}
    assert told["left"].nearest == "twenty"
    assert told["left"].source == "conf/pipeline/sums.yaml:3"
    assert told["start.params.valeu"].source == "conf/pipeline/sums.yaml:5"


def test_a_damaged_file_is_told_alone(options: Project) -> None:
    (options.path / "conf" / "left" / "ten.yaml").write_text("uses: [\n")
    with pytest.raises(ConfigError) as caught:
        compose(options.path, ["start.params.valeu=3"])
    assert all_problems(options.path, ["start.params.valeu=3"], options.installed, caught.value) is caught.value
    assert "not YAML" in caught.value.problems[0].message
