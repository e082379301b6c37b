"""Experiments saved from the shell, and runs that are made again from their record."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import yaml

from firnline.domain import RunRecord, StageRecord
from firnline.record.reproduction import results, verdict
from tests.cli.conftest import Run

# A stage that gives another number every time it runs.
COUNTING = ("left.uses=toy.fail", "~left.params", "+left.params.how=nothing")


def edit(file: Path, change: dict[str, str]) -> None:
    text = file.read_text()
    for before, after in change.items():
        assert before in text
        text = text.replace(before, after)
    file.write_text(text)


def only_run(project: Path) -> Path:
    [folder] = (project / ".firnline" / "runs").iterdir()
    return folder


def test_the_choices_of_a_run_become_an_experiment(firnline: Run, project: Path) -> None:
    assert firnline("run", "-q", "left=twenty", "start.params.value=3")[0] == 0
    code, out, _ = firnline("runs", "save", "last", "mine")
    assert (code, out) == (0, "conf/experiment/mine.yaml is written. Try: firnline plan +experiment=mine\n")
    code, out, _ = firnline("plan", "--json", "+experiment=mine")
    assert {stage["action"] for stage in json.loads(out)["stages"]} == {"reuse"}
    written = (project / "conf" / "experiment" / "mine.yaml").read_text()
    code, _, err = firnline("runs", "save", "last", "mine")
    assert code == 2
    assert "exists already" in err
    assert (project / "conf" / "experiment" / "mine.yaml").read_text() == written
    assert firnline("runs", "save", "last", "mine", "--force")[0] == 0
    for name in ("../mine", "a/b", ".hidden", ""):
        assert firnline("runs", "save", "last", name)[0] == 2
    assert [file.name for file in (project / "conf" / "experiment").iterdir()] == ["mine.yaml"]


def test_a_run_is_made_again_as_it_was_recorded(firnline: Run, project: Path) -> None:
    assert firnline("run", "-q", "left=twenty")[0] == 0
    first = only_run(project)
    edit(project / "conf" / "left" / "twenty.yaml", {"20": "21"})
    config = yaml.safe_load((first / "config.yaml").read_text())
    code, out, _ = firnline("run", "--from-run", first.name)
    assert code == 0
    assert "nothing was computed" in out
    assert f"as they were in run {first.name}" in out
    code, out, _ = firnline("run", "--json", "--from-run", str(first), "--no-cache")
    assert code == 0
    *events, told = (json.loads(line) for line in out.splitlines())
    assert [event["event"] for event in events].count("StageFinished") == 3
    assert (told["reproduced"], told["changes"], told["from_run"]) == (True, [], first.name)
    assert told["results"] == [{"name": "end.total", "then": 21, "now": 21, "agreement": "same"}, *told["results"][1:]]
    again = project / ".firnline" / "runs" / events[0]["run_id"]
    assert yaml.safe_load((again / "config.yaml").read_text()) == config
    assert events[0]["reason"] == f"reproduces {first.name}"


def test_another_result_is_told_and_is_a_failure(firnline: Run, project: Path) -> None:
    assert firnline("run", "-q", *COUNTING)[0] == 0
    first = only_run(project).name
    code, out, _ = firnline("run", "--from-run", first, "--no-cache")
    assert code == 1
    assert "✗ not reproduced: 1 of" in out
    code, out, err = firnline("run", "-q", "--from-run", first, "--no-cache")
    assert (code, "not reproduced" in err) == (1, True)
    code, out, _ = firnline("run", "--from-run", first, "--no-cache", "--tolerance", "9")
    assert code == 0
    assert "1 of them within the tolerance" in out


def test_what_is_not_as_it_was_is_told(firnline: Run, project: Path) -> None:
    (project / "state.txt").write_text("one")
    assert firnline("run", "-q", "+start.params.path=state.txt")[0] == 0
    folder = only_run(project)
    made = json.loads((folder / "plan.json").read_text())
    made["stages"][1]["parts"]["code"] = "an-older-fingerprint"
    made["stages"][1]["plugin"] = "firnline-toy 1.0.0"
    made["stages"][1]["params"]["plus"] = 9
    made["stages"][1]["parts"]["params"] = "other"
    (folder / "plan.json").write_text(json.dumps(made))
    edit(folder / "environment.json", {'"python": "': '"python": "2.'})
    (project / "state.txt").write_text("two")
    code, out, _ = firnline("run", "--json", "--from-run", "last")
    assert code == 0
    changes = {(c["where"], c["what"]): (c["then"], c["now"]) for c in json.loads(out.splitlines()[-1])["changes"]}
    assert changes["left", "its code"][0] == "an-older-fingerprint"
    assert changes["left", "its plugin"] == ("firnline-toy 1.0.0", "firnline-toy 1.2.3")
    assert changes["left", "the param plus"] == ("9", "10")
    assert changes["start", "what it reads"] == ("one state", "another state")
    assert changes["environment", "python"][0].startswith("2.")
    assert len(changes) == 5
    code, out, _ = firnline("run", "--from-run", folder.name)
    assert f"not as it was in run {folder.name}" in out
    assert "the environment differs" in out


def test_what_does_not_go_with_it_is_refused(firnline: Run, project: Path) -> None:
    assert firnline("run", "-q")[0] == 0
    for words, said in (
        (["--from-run", "last", "left=twenty"], "firnline run +experiment=NAME left=twenty"),
        (["--from-run", "last", "-m"], "goes with no --multirun"),
        (["--from-run", "2001"], "there is no run '2001'"),
        (["--tolerance", "1"], "--tolerance goes with --from-run"),
    ):
        code, _, err = firnline("run", *words)
        assert code == 2
        assert said in " ".join(err.split())
    assert only_run(project).is_dir()


def a_record(status: str = "finished", **metrics: float) -> RunRecord:
    stage = StageRecord(name="end", status=status, metrics=metrics, rows=5)  # type: ignore[arg-type]
    return RunRecord(run_id="r", pipeline="p", status="finished", started=0.0, stages={"end": stage})


def test_numbers_are_compared_with_a_tolerance() -> None:
    then = a_record(big=1e9, small=1e-9, odd=float("nan"), gone=1.0)
    now = a_record(big=1e9 + 1, small=2e-9, odd=float("nan"), new=1.0)
    found = {result.name: result.agreement for result in results(then, now, 1e-6)}
    assert found == {
        "end.big": "close",
        "end.small": "close",
        "end.odd": "same",
        "end.gone": "differs",
        "end.new": "differs",
        "end rows": "same",
    }
    assert {result.agreement for result in results(then, then, 0.0)} == {"same"}
    assert results(a_record(big=1.0), a_record(big=1.1), 0.0)[0].agreement == "differs"
    rows = replace(then.stages["end"], rows=6)
    assert results(then, replace(then, stages={"end": rows}), 0.0)[-1].agreement == "differs"


def test_a_stage_that_no_longer_finishes_is_not_reproduced() -> None:
    then, now = a_record(auc=1.0), a_record("failed", auc=1.0)
    agrees, said = verdict(then, now, results(then, now, 1.0))
    assert (agrees, said) == (False, "not reproduced: end finished then, and not now")
