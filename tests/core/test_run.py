"""Running: order, reuse, failure, retries, time-outs, processes, interruption."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import threading
import time

import pytest

from firnline.domain import ObserverFailed, StageFinished, StageRetried, StageStarted
from firnline.errors import UsageError
from firnline.record import Store, list_runs, load_run
from firnline.run.boundary import is_transient
from tests.core.conftest import DIAMOND, Project


def test_runs_every_stage_and_then_reuses_every_stage(project: Project) -> None:
    project.write(DIAMOND)
    first = project.run()
    assert first.exit_code == 0
    assert project.calls().count("end") == 1
    assert first.record.metrics == {"end.total": 32.0}
    second = project.run()
    assert project.calls() == []
    assert {stage.status for stage in second.record.stages.values()} == {"reused"}
    assert {stage.from_run for stage in second.record.stages.values()} == {first.record.run_id}
    assert second.record.metrics == first.record.metrics


def test_only_what_changed_and_what_follows_runs_again(project: Project) -> None:
    project.write(DIAMOND)
    project.run()
    project.calls()
    outcome = project.run("left.params.plus=11")
    assert sorted(project.calls()) == ["end", "left"]
    assert outcome.record.metrics == {"end.total": 33.0}
    back = project.run()
    assert project.calls() == []
    assert back.record.metrics == {"end.total": 32.0}


def test_a_changed_source_is_noticed(project: Project) -> None:
    stages = {"start": {"uses": "toy.source", "params": {"path": "in.txt"}}}
    project.write(stages)
    (project.path / "in.txt").write_text("one")
    project.run()
    project.calls()
    assert project.plan().stages[0].action == "reuse"
    (project.path / "in.txt").write_text("two")
    [stage] = project.plan().stages
    assert stage.action == "run"
    assert "what it reads changed since run" in stage.reason


def test_no_cache_from_and_only(project: Project) -> None:
    project.write(DIAMOND)
    project.run()
    project.calls()
    project.run(no_cache=True)
    assert sorted(project.calls()) == ["end", "left", "right", "start"]
    project.run(start="right")
    assert sorted(project.calls()) == ["end", "right"]
    outcome = project.run(only="left")
    assert project.calls() == ["left"]
    assert outcome.record.stages["end"].status == "reused"
    with pytest.raises(UsageError, match="no such stage"):
        project.plan(only="nobody")
    with pytest.raises(UsageError, match="it takes from start"):
        project.plan("start.params.value=5", only="left")


def test_only_leaves_out_what_has_no_output(project: Project) -> None:
    project.write({**DIAMOND, "extra": {"uses": "toy.source", "params": {"value": 3}}})
    plan = project.plan(only="extra")
    assert {stage.name: stage.action for stage in plan.stages} == {
        "start": "skip",
        "left": "skip",
        "right": "skip",
        "end": "skip",
        "extra": "run",
    }


def test_a_deleted_artifact_is_made_again(project: Project) -> None:
    project.write(DIAMOND)
    first = project.run()
    project.calls()
    value = first.record.stages["left"].outputs["value"]["path"]
    (project.path / ".firnline" / value).unlink()
    plan = project.plan()
    assert plan.stage("left").action == "run"
    assert "is gone" in plan.stage("left").reason
    assert plan.stage("end").action == "reuse"


def test_a_failed_stage_stops_only_what_needs_it(project: Project) -> None:
    project.write(
        {
            **DIAMOND,
            "bad": {"uses": "toy.fail", "inputs": {"left": "start"}},
            "after": {"uses": "toy.add", "inputs": {"left": "bad"}},
            "later": {"uses": "toy.add", "inputs": {"left": "after"}},
        }
    )
    outcome = project.run()
    stages = outcome.record.stages
    assert outcome.exit_code == 1
    assert outcome.record.status == "failed"
    assert stages["end"].status == "finished"
    assert stages["bad"].error == "StageError: ZeroDivisionError: a bug in the step"
    assert (stages["after"].status, stages["after"].because) == ("skipped", "bad")
    assert (stages["later"].status, stages["later"].because) == ("skipped", "bad")
    log = (outcome.folder / "logs" / "bad.log").read_text()
    assert "ZeroDivisionError: a bug in the step" in log
    project.calls()
    again = project.run("bad.params.how=nothing")
    assert again.exit_code == 0
    assert sorted(project.calls()) == ["after", "bad", "later"]


@pytest.mark.parametrize(
    ("how", "kind", "status", "code"),
    [
        ("data", "DataError", "failed", 1),
        ("gate", "StoppedByGateError", "stopped", 4),
        ("wrong", "OutputError", "failed", 1),
        ("exit", "StageError", "failed", 1),
        ("transient", "TransientError", "failed", 1),
    ],
)
def test_ways_to_fail(project: Project, how: str, kind: str, status: str, code: int) -> None:
    project.write({"bad": {"uses": "toy.fail", "params": {"how": how}}})
    outcome = project.run()
    error = outcome.record.stages["bad"].error
    assert error is not None
    assert error.startswith(kind)
    assert (outcome.record.status, outcome.exit_code) == (status, code)
    assert project.calls() == ["bad"]


def test_transient_errors_are_tried_again_with_back_off(project: Project) -> None:
    project.write(
        {
            "bad": {
                "uses": "toy.fail",
                "params": {"how": "transient", "times": 2},
                "retry": {"attempts": 4, "backoff_s": 0.05},
            }
        }
    )
    seen: list = []
    outcome = project.run(seen=seen)
    assert outcome.exit_code == 0
    assert [event.delay_s for event in seen if isinstance(event, StageRetried)] == [0.05, 0.1]
    assert [event.attempt for event in seen if isinstance(event, StageStarted)] == [1, 2, 3]
    assert outcome.record.stages["bad"].attempts == 3


def test_other_errors_are_not_tried_again(project: Project) -> None:
    project.write({"bad": {"uses": "toy.fail", "retry": {"attempts": 4, "backoff_s": 0.01}}})
    assert project.run().exit_code == 1
    assert project.calls() == ["bad"]


def test_a_stage_that_runs_too_long_is_cancelled(project: Project) -> None:
    project.write({"slow": {"uses": "toy.fail", "params": {"how": "hang"}, "timeout_s": 0.2}})
    outcome = project.run()
    error = outcome.record.stages["slow"].error
    assert error is not None
    assert error.startswith("StageTimeoutError: it ran longer than its timeout of 0.2 s")


def test_what_comes_after_the_timeout_does_not_count(project: Project) -> None:
    project.write({"deaf": {"uses": "toy.stubborn", "params": {"sleep_s": 0.8}, "timeout_s": 0.2}})
    outcome = project.run()
    assert str(outcome.record.stages["deaf"].error).startswith("StageTimeoutError")
    assert list((project.path / ".firnline" / "artifacts").iterdir()) == []
    assert project.plan().stage("deaf").action == "run"


def test_a_step_that_never_reacts_is_left_behind(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["firnline.run.execute"], "GRACE_S", 0.3)
    project.write(
        {
            "deaf": {"uses": "toy.stubborn", "params": {"sleep_s": 3}, "timeout_s": 0.2},
            "after": {"uses": "toy.total", "inputs": {"numbers": ["deaf"]}},
            "other": {"uses": "toy.source"},
        }
    )
    began = time.monotonic()
    outcome = project.run()
    assert time.monotonic() - began < 2
    assert {name: stage.status for name, stage in outcome.record.stages.items()} == {
        "deaf": "failed",
        "after": "skipped",
        "other": "finished",
    }
    time.sleep(3)  # the step ends after its run; what it wrote is thrown away by the next one
    project.run("deaf.params.sleep_s=0")
    store = Store(project.path / ".firnline")
    assert store.query("SELECT * FROM attempts") == []
    assert len(list(store.artifacts.iterdir())) == 3
    store.close()


def test_a_network_error_in_a_process_is_tried_again(project: Project) -> None:
    project.write({"burn": {"uses": "toy.burn", "params": {"value": 16}, "retry": {"attempts": 3, "backoff_s": 0.01}}})
    outcome = project.run()
    assert outcome.exit_code == 0, outcome.record.stages["burn"].error
    assert outcome.record.stages["burn"].attempts == 3


def test_a_process_whose_thread_goes_on_is_ended(project: Project) -> None:
    project.write({"burn": {"uses": "toy.burn", "params": {"value": 17}}})
    assert project.run().exit_code == 0
    assert multiprocessing.active_children() == []


def test_network_errors_are_known_by_name() -> None:
    errors = pytest.importorskip("snowflake.connector.errors")
    assert is_transient(errors.OperationalError("the line is down"))
    assert is_transient(errors.ServiceUnavailableError())
    assert not is_transient(errors.ProgrammingError("no such table"))
    wrapped = RuntimeError("wrapped")
    wrapped.__cause__ = ConnectionRefusedError()
    assert is_transient(wrapped)
    assert is_transient(TimeoutError())
    assert not is_transient(ValueError("OperationalError"))
    assert not is_transient(FileNotFoundError())
    foreign = type("OperationalError", (Exception,), {"__module__": "snowflake.connectors_of_ours"})
    assert not is_transient(foreign())


def test_independent_stages_run_side_by_side(project: Project) -> None:
    sleepers = {
        f"s{i}": {"uses": "toy.add", "inputs": {"left": "start"}, "params": {"sleep_s": 0.4, "plus": i}}
        for i in range(4)
    }
    project.write({"start": {"uses": "toy.source"}, **sleepers})
    seen: list = []
    project.run(seen=seen)
    starts = [event.at for event in seen if isinstance(event, StageStarted) and event.stage != "start"]
    ends = [event.at for event in seen if isinstance(event, StageFinished) and event.stage != "start"]
    assert max(starts) < min(ends)


def test_workers_limit_how_many_run_at_once(project: Project) -> None:
    sleepers = {f"s{i}": {"uses": "toy.source", "params": {"value": i}} for i in range(5)}
    project.write(sleepers, executor={"workers": 1})
    seen: list = []
    project.run(seen=seen)
    kinds = [type(event).__name__ for event in seen if type(event).__name__ in {"StageStarted", "StageFinished"}]
    assert kinds == ["StageStarted", "StageFinished"] * 5


def test_what_a_stage_prints_goes_to_its_log(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.write({**DIAMOND, "loud": {"uses": "toy.add", "inputs": {"left": "start"}, "params": {"mode": "loud"}}})
    outcome = project.run()
    assert "loud step" not in capsys.readouterr().out
    log = (outcome.folder / "logs" / "loud.log").read_text()
    assert "a loud step" in log
    assert "INFO a logged line" in log
    assert not (outcome.folder / "logs" / "left.log").exists()


def test_a_process_stage_runs_in_a_process(project: Project) -> None:
    project.write({"burn": {"uses": "toy.burn"}})
    outcome = project.run()
    assert outcome.exit_code == 0, outcome.record.stages["burn"].error
    path = project.path / ".firnline" / outcome.record.stages["burn"].outputs["value"]["path"]
    import pickle

    assert pickle.loads(path.read_bytes()) != os.getpid()
    assert "printed in the process" in (outcome.folder / "logs" / "burn.log").read_text()


@pytest.mark.parametrize(
    ("value", "text"), [(13, "exit code 13"), (14, "StageTimeoutError"), (15, "DataError: odd data in a process")]
)
def test_a_process_that_ends_badly_is_told(project: Project, value: int, text: str) -> None:
    project.write({"burn": {"uses": "toy.burn", "params": {"value": value}, "timeout_s": 4}})
    error = project.run().record.stages["burn"].error
    assert error is not None
    assert text in error


def test_ctrl_c_stops_the_run_cleanly(project: Project) -> None:
    project.write(
        {
            "start": {"uses": "toy.source"},
            "slow": {"uses": "toy.fail", "params": {"how": "hang"}, "inputs": {"left": "start"}},
            "after": {"uses": "toy.add", "inputs": {"left": "slow"}},
        }
    )
    threading.Timer(0.7, os.kill, (os.getpid(), signal.SIGINT)).start()
    began = time.monotonic()
    outcome = project.run()
    assert time.monotonic() - began < 10
    assert (outcome.record.status, outcome.exit_code) == ("interrupted", 130)
    assert outcome.record.stages["start"].status == "finished"
    error = outcome.record.stages["slow"].error
    assert error is not None
    assert error.startswith("InterruptedRunError")
    assert outcome.record.stages["after"].status == "skipped"


def test_the_record_is_the_fold_of_the_written_events(project: Project) -> None:
    project.write(DIAMOND)
    outcome = project.run()
    store = Store(project.path / ".firnline")
    assert load_run(store, outcome.record.run_id) == outcome.record
    lines = (outcome.folder / "events.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["event"] == "RunStarted"
    assert json.loads(lines[-1])["event"] == "RunFinished"
    assert [record.run_id for record in list_runs(store)] == [outcome.record.run_id]
    store.close()


def test_tables_are_published_under_stable_names_and_discarded_on_failure(project: Project) -> None:
    project.write({"load": {"uses": "toy.table"}})
    outcome = project.run()
    name = outcome.record.stages["load"].outputs["table"]["name"]
    views = (project.path / "toy_platform.views").read_text()
    assert views == f"PIPELINE_LOAD_TABLE {name}\n"
    (project.path / "toy_platform.txt").write_text("")
    [stage] = project.plan().stages
    assert stage.action == "run"
    assert "is gone" in stage.reason


def test_a_platform_that_cannot_tidy_up_does_not_stop_the_run(project: Project) -> None:
    project.write(
        {
            "good": {"uses": "toy.table"},
            "bad": {"uses": "toy.table", "params": {"value": 13}},
            "other": {"uses": "toy.source"},
        }
    )
    seen: list = []
    outcome = project.run("platform.stuck=true", seen=seen)
    assert outcome.exit_code == 1
    assert {name: stage.status for name, stage in outcome.record.stages.items()} == {
        "good": "finished",
        "bad": "failed",
        "other": "finished",
    }
    told = {event.hook: event.message for event in seen if isinstance(event, ObserverFailed)}
    assert set(told) == {"publish", "discard"}
    assert told["discard"] == "ZeroDivisionError: the platform has a bug"
    tables = project.path / "toy_platform.txt"
    assert len(tables.read_text().split()) == 2
    project.run("bad.params.value=3", only="other")  # once it works again, the table that nobody owns is dropped
    assert len(tables.read_text().split()) == 1


def test_a_thousand_stages_plan_and_run(project: Project) -> None:
    chain: dict = {"s0": {"uses": "toy.source"}}
    for i in range(1, 1000):
        chain[f"s{i}"] = {"uses": "toy.add", "inputs": {"left": f"s{i - 1}"}}
    project.write(chain)
    outcome = project.run()
    assert outcome.exit_code == 0
    assert len(project.calls()) == 1000
    assert project.run().record.stages["s999"].status == "reused"
