"""What happens before the first job of a multirun: all of them are checked and planned, and nothing runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Run


def calls(project: Path) -> list[str]:
    file = project / "calls.txt"
    return file.read_text().split() if file.exists() else []


def test_a_problem_of_one_job_is_told_with_the_choice_that_brought_it_in(firnline: Run, project: Path) -> None:
    code, out, err = firnline("run", "-m", "left.uses=toy.add,toy.fail", "start.params.value=1,2")
    assert (code, out) == (2, "")
    assert "left.params.plus" in err
    assert "jobs 2 and 3 of 4, brought in by left.uses=toy.fail" in " ".join(err.split())
    assert calls(project) == []
    assert not (project / ".firnline" / "sweeps").exists()


def test_all_problems_of_all_jobs_stand_in_one_report(firnline: Run) -> None:
    overrides = ["left=ten,tne", "start.params.value=1,2000", "left.params.pluss=3"]
    code, out, _ = firnline("run", "--json", "-m", *overrides)
    assert code == 2
    problems = {problem["path"]: problem for problem in json.loads(out)["problems"]}
    assert set(problems) == {"left", "start.params.value", "left.params.pluss"}
    assert problems["left"]["nearest"] == "ten"
    assert problems["left"]["jobs"] == "jobs 2 and 3 of 4, brought in by left=tne"
    assert problems["start.params.value"]["jobs"] == "jobs 1 and 3 of 4, brought in by start.params.value=2000"
    assert problems["left.params.pluss"]["jobs"] is None


def test_a_problem_that_two_choices_make_together(firnline: Run, project: Path) -> None:
    config = yaml.safe_load((project / "conf" / "config.yaml").read_text())
    config["right"] = {"uses": "toy.add", "inputs": {"left": "left"}}
    (project / "conf" / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    cycle = ("left.inputs.left=start,right", "right.inputs.left=left,start")
    code, out, _ = firnline("run", "--json", "-m", *cycle)
    assert code == 2
    [problem] = json.loads(out)["problems"]
    assert problem["jobs"] == "job 2, brought in by left.inputs.left=right right.inputs.left=left"


@pytest.mark.parametrize("verb", ["run", "plan"])
def test_what_hydra_refuses_for_all_jobs_stands_beside_the_rest(firnline: Run, verb: str) -> None:
    code, out, err = firnline(verb, "-m", "lfet=ten,twenty", "start.params.valeu=3")
    assert (code, out) == (2, "")
    assert "lfet" in err
    assert "start.params.valeu" in err


def test_the_plan_of_a_multirun_has_each_distinct_stage_once(firnline: Run, project: Path) -> None:
    overrides = ("left=ten,twenty", "start.params.value=1,2,3")
    code, out, _ = firnline("plan", "-m", *overrides, "--json")
    assert code == 0
    plan = json.loads(out)
    shared = {name: [len(s["jobs"]) for s in plan["stages"] if s["name"] == name] for name in ("start", "left", "end")}
    assert shared == {"start": [2, 2, 2], "left": [1] * 6, "end": [1] * 6}
    assert plan["total"] == {
        "stages": 15,
        "runs": 15,
        "without_history": 15,
        "seconds_p50": 0,
        "seconds_p90": 0,
        "credits_p50": None,
        "credits_p90": None,
    }
    assert len(plan["jobs"]) == 6
    assert calls(project) == []
    assert firnline("run", "-m", "--quiet", *overrides)[0] == 0
    assert sorted(calls(project)) == ["end"] * 6 + ["left"] * 6 + ["start"] * 3  # as it was planned
    total = json.loads(firnline("plan", "-m", *overrides, "--json")[1])["total"]
    assert (total["runs"], total["without_history"]) == (0, 0)


def test_the_plan_of_a_multirun_tells_the_time_of_what_runs_once(firnline: Run, project: Path) -> None:
    slow = ("left.params.sleep_s=0.3",)
    firnline("run", "--quiet", *slow)
    code, out, _ = firnline("plan", "-m", *slow, "left.params.plus=7", "+extra.uses=toy.add", "+extra.inputs.left=left")
    assert code == 0
    code, out, _ = firnline("plan", "-m", *slow, "left.params.plus=7,8", "--json")
    plan = json.loads(out)
    left = [stage for stage in plan["stages"] if stage["name"] == "left"]
    assert [stage["times"] for stage in left] == [1, 1]
    assert all(0.3 <= stage["seconds_p50"] < 3 for stage in left)
    assert plan["total"]["seconds_p50"] == pytest.approx(sum(stage["seconds_p50"] for stage in plan["stages"]))
    code, out, _ = firnline("plan", "-m", *slow, "left.params.plus=7,8")
    assert "2 jobs: 5 distinct stages of 6; 4 to run, 1 reused; about" in out


def test_what_is_asked_for_anew_is_counted_for_each_job(firnline: Run) -> None:
    code, out, _ = firnline("plan", "-m", "--no-cache", "left=ten,twenty", "--json")
    assert code == 0
    assert {stage["name"]: stage["times"] for stage in json.loads(out)["stages"]} == {"start": 2, "left": 1, "end": 1}


def test_no_graph_of_a_multirun(firnline: Run) -> None:
    code, _, err = firnline("plan", "-m", "--mermaid", "left=ten,twenty")
    assert code == 2
    assert "draws no graph" in err
