"""Checking: every problem of a configuration comes in one report, with path, value, place, nearest name and hint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from firnline.app import Installed
from firnline.config import check, compose, double_providers, find_options
from firnline.config.overrides import rewrite_overrides
from firnline.errors import ConfigError, Problem, UsageError
from tests.core.conftest import DIAMOND, Project


def problems(project: Project, *overrides: str) -> dict[str, Problem]:
    with pytest.raises(ConfigError) as caught:
        project.plan(*overrides)
    return {problem.path: problem for problem in caught.value.problems}


def test_all_problems_come_together(project: Project) -> None:
    project.write(
        {
            "start": {"uses": "toy.sorce"},
            "first": {"uses": "toy.source", "params": {"value": -1, "valeu": 3}},
            "left": {"uses": "toy.add", "inputs": {"left": "frist.value", "middle": "first"}},
            "right": {"uses": "toy.add", "params": {"plus": "many", "mode": "lound"}},
            "end": {"uses": "toy.total", "inputs": {"numbers": ["left.valu", "first"]}},
            "wrong": {"uses": "toy.add", "inputs": {"left": "end.metrics"}},
            "executr": {"workers": 3},
        }
    )
    found = problems(project)
    assert found["start.uses"].nearest == "toy.source"
    assert found["first.params.value"].value == "-1"
    assert found["first.params.value"].expected == "int, >= 0 and <= 1000"
    assert found["first.params.valeu"].nearest == "value"
    assert found["left.inputs.left"].nearest == "first"
    assert "nothing would use it" in found["left.inputs.middle"].message
    assert "needs this input" in found["right.inputs.left"].message
    assert found["right.params.plus"].expected == "int"
    assert found["right.params.mode"].expected == "one of plain, loud"
    assert found["end.inputs.numbers"].nearest == "value" or found["end.inputs.numbers"].expected == "one of left.value"
    assert "is a Metrics, not a Value" in found["wrong.inputs.left"].message
    assert found["executr"].nearest == "executor"
    assert found["first.params.value"].source is not None
    assert found["first.params.value"].source.startswith("conf/config.yaml:")


def test_the_line_of_the_file_is_told(project: Project) -> None:
    project.write({})
    (project.path / "conf" / "config.yaml").write_text(
        "defaults: [firnline, _self_]\nplatform: {name: toy}\nstart:\n  uses: toy.source\n  params:\n    value: 2000\n"
    )
    assert problems(project)["start.params.value"].source == "conf/config.yaml:6"


def test_option_files_are_named_as_source(project: Project) -> None:
    project.write({}, defaults=["firnline", {"start": "odd"}, "_self_"])
    folder = project.path / "conf" / "start"
    folder.mkdir()
    (folder / "odd.yaml").write_text("uses: toy.source\nparams:\n  value: 5000\n")
    assert problems(project)["start.params.value"].source == "conf/start/odd.yaml:3"


def test_a_misspelt_override_is_answered_like_a_misspelt_param(project: Project) -> None:
    project.write(DIAMOND)
    found = problems(project, "left.params.pluss=3", "lfet.params.plus=2")
    assert found["left.params.pluss"].nearest == "plus"
    assert found["left.params.pluss"].source == "the command line (left.params.pluss=3)"
    assert found["lfet"].nearest == "left"


@pytest.mark.parametrize(
    ("override", "path", "nearest"),
    [
        ("pipelin=churn", "pipelin", "pipeline"),
        ("pipeline=chrun", "pipeline", "churn"),
        ("left.params.plus=[", None, None),
    ],
)
def test_hydra_s_own_errors_are_problems_too(
    project: Project, override: str, path: str | None, nearest: str | None
) -> None:
    project.write(DIAMOND, defaults=["firnline", {"pipeline": None}, "_self_"])
    folder = project.path / "conf" / "pipeline"
    folder.mkdir()
    (folder / "churn.yaml").write_text("# @package _global_\nsome: {uses: toy.source}\n")
    with pytest.raises(ConfigError) as caught:
        project.plan(override)
    [problem] = caught.value.problems
    if path is not None:
        assert (problem.path, problem.nearest) == (path, nearest)
    assert problem.source is not None
    assert override in problem.source


def test_a_cycle_is_shown(project: Project) -> None:
    project.write(
        {
            "a": {"uses": "toy.add", "inputs": {"left": "c"}},
            "b": {"uses": "toy.add", "inputs": {"left": "a"}},
            "c": {"uses": "toy.add", "inputs": {"left": "b"}},
        }
    )
    [problem] = problems(project).values()
    assert "in a circle" in problem.message


def test_platform_problems(project: Project) -> None:
    project.write({"load": {"uses": "toy.table", "resources": {"gpu": 1, "tabels": 2, "tables": 1}}})
    found = problems(project)
    assert "it is a file" in found["load.resources.gpu"].message
    assert found["load.resources.tabels"].nearest == "tables"
    assert "load.resources.tables" not in found
    project.write(
        {"load": {"uses": "toy.table"}, "bad": {"uses": "toy.ad"}}, platform={"name": "toy", "reachable": False}
    )
    found = problems(project)
    assert found["platform"].message == "the toy platform is down"
    assert found["platform"].hint == "switch it on"
    assert "bad.uses" in found
    project.write({"load": {"uses": "toy.table"}}, platform={"name": "toi"})
    assert problems(project)["platform.name"].nearest == "toy"


def test_an_error_in_a_platform_s_own_code_is_a_problem_too(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug in the plugin")

    offer = project.installed.registry.platforms["toy"]
    monkeypatch.setitem(
        project.installed.registry.platforms, "toy", replace(offer, spec=replace(offer.spec, open=broken))
    )
    project.write({"load": {"uses": "toy.table"}, "bad": {"uses": "toy.ad"}})
    found = problems(project)
    assert found["platform"].message == "it could not be opened: ZeroDivisionError: a bug in the plugin"
    assert "report it to the author" in (found["platform"].hint or "")
    assert "bad.uses" in found


def test_missing_extras_say_what_installs_them(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    offers = project.installed.registry.steps
    for name, extra in (("toy.add", "torch"), ("toy.total", None)):
        spec = replace(offers[name].spec, modules=("absent_sdk", "json"), extra=extra)
        monkeypatch.setitem(offers, name, replace(offers[name], spec=spec))
    project.write(DIAMOND)
    found = problems(project, "right.params.plus=many")
    assert found["left.uses"].message == "step toy.add needs absent_sdk, not installed here"
    assert found["left.uses"].hint == "pip install 'firnline[torch]'"
    assert found["left.uses"].source == "conf/config.yaml:9"
    assert found["end.uses"].hint == "pip install what firnline-toy names"
    assert found["right.params.plus"].value == "many"


def test_an_unreachable_platform_matters_only_to_stages_that_use_it(project: Project) -> None:
    project.write(DIAMOND, platform={"name": "toy", "reachable": False})
    assert len(project.plan().stages) == 4


def test_reserved_and_odd_names(project: Project) -> None:
    project.write({"store": {"uses": "toy.source"}, "9lives": {"uses": "toy.source"}, "guard": {"limit": 3}})
    found = problems(project)
    assert "not free" in found["store"].message
    assert "not a stage name" in found["9lives"].message
    assert "no installed plugin" in found["guard"].message


def test_an_empty_pipeline_and_a_missing_value(project: Project) -> None:
    project.write({})
    assert "no stage" in problems(project)["pipeline"].message
    project.write({"data": {"path": "???"}, "start": {"uses": "toy.source", "params": {"path": "${data.path}"}}})
    found = problems(project)
    assert found["data.path"].message == "a value must be given"
    assert "data.path=" in (found["data.path"].hint or "")


def test_a_source_that_is_not_there_is_a_problem(project: Project) -> None:
    project.write({"start": {"uses": "toy.source", "params": {"path": "absent.txt"}}})
    found = problems(project)["start.params"]
    assert "No such file" in found.message
    assert found.source == "conf/config.yaml:8"


def test_a_null_stage_is_left_out(project: Project) -> None:
    project.write({**DIAMOND, "extra": None})
    assert len(project.plan().stages) == 4
    assert len(project.plan("~end").stages) == 3


def test_a_stage_whose_option_is_dropped_goes_with_all_that_the_pipeline_says_of_it(project: Project) -> None:
    (project.path / "conf" / "extra").mkdir(parents=True)
    (project.path / "conf" / "extra" / "one.yaml").write_text("uses: toy.source\n")
    body = {
        "defaults": ["firnline", {"extra": "one"}, "_self_"],
        "extra": {"params": {"value": 7}},
        "sum": {"uses": "toy.add", "inputs": {"left": "start", "right": "extra"}},
        "all": {"uses": "toy.total", "inputs": {"numbers": ["start", "extra"]}},
    }
    project.write({"start": {"uses": "toy.source"}, **body})
    assert {stage.name for stage in project.plan().stages} == {"start", "extra", "sum", "all"}
    for override in ("~extra", "extra=null"):
        plan = project.plan(override)
        assert {stage.name: dict(stage.inputs).keys() for stage in plan.stages} == {
            "start": set(),
            "sum": {"left"},
            "all": {"numbers"},
        }
    body["sum"]["inputs"] = {"left": "extra"}
    project.write({"start": {"uses": "toy.source"}, **body})
    assert "there is no stage 'extra'" in problems(project, "~extra")["sum.inputs.left"].message


def test_a_folder_without_configuration(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no conf/config.yaml"):
        compose(tmp_path, ())


def test_two_providers_of_one_option_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from firnline.config import ConfFolder, search_path

    for name in ("one", "two"):
        (tmp_path / name / "train").mkdir(parents=True)
        (tmp_path / name / "train" / "x.yaml").write_text("uses: toy.source\n")
    folders = tuple(ConfFolder(provider=f"dist-{name} 1", path=tmp_path / name) for name in ("one", "two"))
    monkeypatch.setattr(search_path, "find_conf_folders", lambda: folders)
    assert double_providers(find_options(tmp_path)) == [("train", "x", ["dist-one 1", "dist-two 1"])]


def test_only_dotted_plain_overrides_are_rewritten() -> None:
    typed = [
        "a.b=1",
        "train=torch",
        "+a.b=1",
        "~a.b",
        "hydra.run.dir=x",
        "hydra/launcher=joblib",
        "train@c=x",
        "a.b-c.d=1",
    ]
    assert rewrite_overrides(typed) == ["++a.b=1", *typed[1:7], "++a.b-c.d=1"]


def test_the_checked_pipeline_is_in_order(project: Project, installed: Installed) -> None:
    project.write(dict(reversed(DIAMOND.items())))
    pipeline = check(project.compose(), installed.registry)
    names = [stage.name for stage in pipeline.stages]
    assert names.index("start") < names.index("left") < names.index("end")


def test_a_platform_that_is_not_installed_matters_only_to_stages_that_use_it(project: Project) -> None:
    project.write(DIAMOND, platform={"name": "sandbox"})
    assert project.plan().platform == "sandbox"
    project.write({"load": {"uses": "toy.table"}}, platform={"name": "sandbox"})
    assert "no installed plugin offers the platform" in problems(project)["platform.name"].message
