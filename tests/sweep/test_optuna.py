"""``hydra/sweeper=optuna``: it searches, keeps its study, and is gone on with."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Run

optuna = pytest.importorskip("optuna")
OPTUNA = ("run", "-m", "-q", "hydra/sweeper=optuna", "hydra.sweeper.seed=7")


@pytest.fixture(autouse=True)
def allowed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRNLINE_PLUGINS_ALLOW", "toy,sweep")


def board(firnline: Run) -> list[dict]:
    return json.loads(firnline("sweep", "show", "--json")[1])


def study(project: Path) -> optuna.Study:
    [file] = (project / ".firnline" / "sweeps").glob("*/hydra/study.db")
    return optuna.load_study(study_name="firnline", storage=f"sqlite:///{file}")


@pytest.mark.parametrize("sampler", ["tpe", "random", "cmaes"])
def test_it_searches_with_hydras_own_grammar(firnline: Run, project: Path, sampler: str) -> None:
    space = (
        "left=choice(ten,twenty)",
        "start.params.value=range(1,9,2)",
        "left.params.plus=tag(log,int(interval(1,100)))",
    )
    code, out, err = firnline(*OPTUNA, f"hydra.sweeper.sampler={sampler}", "hydra.sweeper.n_trials=6", *space)
    assert code == 0, out + err
    trials = study(project).trials
    assert len(trials) == len(board(firnline)) == 6
    assert {trial.params["++start.params.value"] for trial in trials} <= {1, 3, 5, 7}
    assert all(1 <= trial.params["++left.params.plus"] <= 100 for trial in trials)
    for trial in trials:
        assert trial.value == trial.params["++start.params.value"] + trial.params["++left.params.plus"]


def test_tpe_finds_what_is_best(firnline: Run, project: Path) -> None:
    code, out, err = firnline(
        *OPTUNA, "hydra.sweeper.n_trials=15", "left.params.plus=int(interval(0,1000))", "sweep.direction=minimize"
    )
    assert code == 0, out + err
    assert study(project).best_value == board(firnline)[0]["end.total"] < 100


def test_several_objectives_and_a_space_in_a_file(firnline: Run, project: Path) -> None:
    file = project / "conf" / "config.yaml"
    config = yaml.safe_load(file.read_text())
    config["other"] = {"uses": "toy.total", "inputs": {"numbers": ["start"]}}
    config["sweep"] = {"metric": ["end.total", "other.total"], "direction": ["maximize", "minimize"]}
    config["hydra"] = {"sweeper": {"params": {"start.params.value": "range(1,100)"}, "n_trials": 4}}
    config["defaults"].append({"override hydra/sweeper": "optuna"})
    file.write_text(yaml.safe_dump(config, sort_keys=False))
    code, out, err = firnline("run", "-m", "-q")
    assert code == 0, out + err
    for trial in study(project).trials:
        value = trial.params["++start.params.value"]
        assert trial.values == [value + 10, value]


def test_a_search_that_stopped_is_gone_on_with(firnline: Run, project: Path) -> None:
    (project / "calls.txt").write_text("")
    fails = "+extra={uses: toy.fail, inputs: {left: left}, params: {how: data, times: 1}}"
    arguments = ("hydra.sweeper.n_trials=3", "start.params.value=range(1,100)", fails, "sweep.on_failure=stop")
    assert firnline(*OPTUNA, *arguments)[0] == 1
    [lost] = study(project).trials
    assert lost.state.name == "FAIL"
    _, out, err = firnline("sweep", "resume", "-q")
    trials = study(project).trials
    complete = [trial for trial in trials if trial.state.name == "COMPLETE"]
    assert len(complete) == 3, out + err
    assert complete[0].params == lost.params


def test_a_search_that_was_killed_asks_for_the_lost_trial_again(firnline: Run, project: Path) -> None:
    arguments = ("hydra.sweeper.n_trials=3", "start.params.value=range(1,100)", "left.params.sleep_s=0.5")
    process = subprocess.Popen([sys.executable, "-m", "firnline", *OPTUNA, *arguments], cwd=project)
    calls, deadline = project / "calls.txt", time.monotonic() + 60
    while not calls.exists() or calls.read_text().split().count("left") < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.wait()
    before = study(project).trials
    assert [trial.state.name for trial in before] == ["COMPLETE", "RUNNING"]
    code, out, err = firnline("sweep", "resume", "-q")
    assert code == 0, out + err  # the job that was cut off is gone: a later one has the same choices
    assert {row["job"] for row in board(firnline)} == {0, 2, 3}
    after = study(project).trials
    assert [trial.state.name for trial in after] == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]
    assert after[2].params == before[1].params
    assert calls.read_text().split().count("start") == len({json.dumps(trial.params) for trial in after})


def test_a_trial_that_promises_nothing_is_pruned(firnline: Run, project: Path) -> None:
    learn = "+learn={uses: toy.learn, params: {rate: 1, rounds: 4}}"
    storage = f"hydra.sweeper.storage=sqlite:///{project / 'study.db'}"
    pruner = ("hydra.sweeper.pruner=median", "hydra.sweeper.pruner_options={n_startup_trials: 1}")
    search = (*OPTUNA, learn, storage, *pruner, "hydra.sweeper.prune_metric=learn.score", "sweep.metric=learn.score")
    code, out, err = firnline(*search, "hydra.sweeper.n_trials=1", "learn.params.rate=range(50,51)")
    assert code == 0, out + err
    waits = "learn.params.wait_s=60"  # for the word to stop, which comes after the first round
    code, out, err = firnline(*search, "hydra.sweeper.n_trials=2", "learn.params.rate=range(1,2)", f"++{waits}")
    assert code == 0, out + err
    trials = optuna.load_study(study_name="firnline", storage=f"sqlite:///{project / 'study.db'}").trials
    assert [trial.state.name for trial in trials] == ["COMPLETE", "PRUNED"]
    assert trials[0].intermediate_values == {1: 50, 2: 100, 3: 150, 4: 200}
    assert trials[1].intermediate_values == {1: 1}
    [row] = board(firnline)
    assert row["status"] == "pruned"
    code, out, err = firnline("sweep", "list", "--json")
    assert code == 0, err
    assert [json.loads(line)["status"] for line in out.splitlines()] == ["finished", "finished"]


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (("hydra.sweeper.sampler=tpf", "start.params.value=range(1,9)"), "there is no sampler 'tpf'"),
        ((), "there is nothing to search for"),
        (("start.params.value=range(1,9)", "sweep.metric=null"), "a search needs sweep.metric"),
        (("start.params.value=tag(log,interval(0,9))",), "cannot be searched"),
    ],
)
def test_what_cannot_be_searched_is_refused(firnline: Run, overrides: tuple[str, ...], told: str) -> None:
    code, _, err = firnline(*OPTUNA, *overrides)
    assert code == 2
    assert told in " ".join(err.split())


def test_a_search_cannot_be_planned(firnline: Run) -> None:
    code, _, err = firnline("plan", "-m", "hydra/sweeper=optuna", "start.params.value=range(1,9)")
    assert code == 2
    assert "decides on the jobs as it goes" in err
