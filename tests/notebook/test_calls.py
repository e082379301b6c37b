"""firnline.plan, run and sweep from Python: what they return, raise and show, and what they leave as it was."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from dataclasses import FrozenInstanceError
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import firnline
from firnline.app import Outcome
from firnline.domain import Event, Plan
from firnline.errors import ConfigError, StageError, StoppedByGateError, UsageError

FAILING = ["left.uses=toy.fail", "~left.params", "+left.params.how=error"]


def shown(value: object) -> str:
    """Return the HTML of a value, which is well formed and runs nothing."""
    html: str = value._repr_html_()  # type: ignore[attr-defined]
    ET.fromstring(html)
    assert "<script" not in html
    return html


@pytest.fixture
def elsewhere(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project, while the process stands in another folder."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return project


def test_plan_run_and_sweep_again_and_again_in_an_event_loop_of_another_folder(elsewhere: Path) -> None:
    async def cells() -> None:
        for value in (1, 2):
            overrides = [f"start.params.value={value}"]
            plan = firnline.plan(overrides, project=elsewhere)
            assert isinstance(plan, Plan)
            assert [stage.action for stage in plan.stages] == ["run"] * 3
            assert "it has not run yet" in shown(plan) if value == 1 else "params changed" in shown(plan)
            run = firnline.run(overrides, project=str(elsewhere))
            assert isinstance(run, Outcome)
            assert (run.status, run.metrics) == ("finished", {"end.total": 10 + value})
            assert [stage.action for stage in firnline.plan(overrides, project=elsewhere).stages] == ["reuse"] * 3
            assert run.report.as_uri() in shown(run)
            assert "end.total" in shown(run)
        sweep = firnline.sweep(["left=ten,twenty", "start.params.value=1,2"], project=elsewhere)
        assert [entry.value for entry in sweep.leaderboard.entries] == [22, 21, 12, 11]
        assert sweep.best is not None
        assert sweep.best.choices == {"left": "twenty", "start.params.value": "2"}
        assert sweep.folder == elsewhere / ".firnline" / "sweeps" / sweep.sweep_id
        assert sweep.page.exists()
        assert sweep.page.as_uri() in shown(sweep)
        with pytest.raises(FrozenInstanceError):
            sweep.stopped = "no"  # type: ignore[misc]

    asyncio.run(cells())
    assert list(Path.cwd().iterdir()) == []


def test_sweeps_of_one_second_are_told_apart(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firnline.cli.sweep.time.strftime", lambda *_: "20260101-120000")
    first, second = (firnline.sweep(["left=ten"], project=project) for _ in range(2))
    assert second.sweep_id == f"{first.sweep_id}-2"
    assert [sweep.leaderboard.entries[0].record.sweep_id for sweep in (first, second)] == [
        first.sweep_id,
        second.sweep_id,
    ]


def test_errors_are_raised_with_all_problems(project: Path) -> None:
    for call in (firnline.plan, firnline.run):
        with pytest.raises(ConfigError) as caught:
            call(["left=tne", "start.params.valeu=3"])
        assert {(p.path, p.nearest) for p in caught.value.problems} == {
            ("left", "ten"),
            ("start.params.valeu", "value"),
        }
    with pytest.raises(ConfigError) as caught:
        firnline.sweep(["left=ten,tne", "start.params.valeu=3"])
    assert {p.path for p in caught.value.problems} == {"left", "start.params.valeu"}
    assert not (project / ".firnline" / "runs").exists()


def test_a_run_that_fails_raises_or_is_returned(project: Path) -> None:
    with pytest.raises(StageError) as caught:
        firnline.run(FAILING)
    assert (caught.value.stage, caught.value.step) == ("left", "toy.fail")
    assert caught.value.plugin == "firnline-toy 1.2.3"
    assert "a bug in the step" in str(caught.value)
    run = firnline.run(FAILING, check=False)
    assert (run.status, run.exit_code, run.stages["end"].status) == ("failed", 1, "skipped")
    assert "a bug in the step" in shown(run)
    with pytest.raises(StoppedByGateError, match="below the threshold"):
        firnline.run([*FAILING[:2], "+left.params.how=gate"])


def test_jobs_that_fail_are_told_by_the_sweep(project: Path) -> None:
    sweep = firnline.sweep(["left.uses=toy.fail", "~left.params", "+left.params.how=nothing,error"])
    assert [entry.record.status for entry in sweep.leaderboard.entries] == ["finished", "failed"]
    assert "a bug in the step" in shown(sweep)


def test_events_come_as_they_happen_and_options_are_those_of_the_command(project: Path) -> None:
    events: list[Event] = []
    firnline.run([], on_event=events.append)
    firnline.run([], only="left", on_event=events.append)
    names = [type(event).__name__ for event in events]
    assert (names.count("RunStarted"), names.count("StageFinished"), names.count("RunFinished")) == (2, 4, 2)
    assert [stage.action for stage in firnline.plan(no_cache=True).stages] == ["run"] * 3
    assert [stage.action for stage in firnline.plan(start="left").stages] == ["reuse", "run", "run"]


def test_a_string_or_an_option_is_no_list_of_overrides(project: Path) -> None:
    with pytest.raises(UsageError, match="overrides are a list"):
        firnline.plan("left=ten start.params.value=2")
    with pytest.raises(UsageError, match="no option --only"):
        firnline.run(["--only", "left"])
    with pytest.raises(UsageError, match="only and start"):
        firnline.run(only="left", start="left")
    with pytest.raises(UsageError, match=r"no conf/config\.yaml"):
        firnline.plan(project=project.parent)


def test_hydra_is_left_as_it_was(project: Path) -> None:
    import hydra
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.hydra_config import HydraConfig

    (project / "own").mkdir()
    (project / "own" / "mine.yaml").write_text("a: 1\n")
    with hydra.initialize_config_dir(str(project / "own"), version_base="1.3"):
        own, before = GlobalHydra.instance().hydra, HydraConfig.instance().cfg
        firnline.run([])
        assert GlobalHydra.instance().hydra is own
        assert HydraConfig.instance().cfg is before
        assert hydra.compose("mine").a == 1


def test_threads_take_turns_with_hydra(project: Path) -> None:
    found: dict[int, float] = {}

    def one(value: int) -> None:
        found[value] = firnline.run([f"start.params.value={value}"]).metrics["end.total"]

    threads = [threading.Thread(target=one, args=(value,)) for value in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {value: value + 10 for value in range(4)}


def test_importing_it_is_light_and_its_functions_stay_functions() -> None:
    code = (
        "import sys, firnline\n"
        "light = sorted(name for name in sys.modules if name.startswith(('firnline', 'hydra', 'pydantic', 'rich')))\n"
        "import firnline.run.execute, firnline.plan, firnline.sweep.folder\n"
        "from firnline.run import execute\n"
        "print(light, *(type(found).__name__ for found in (firnline.run, firnline.plan, firnline.sweep, execute)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "['firnline'] function function function function", done.stderr


def test_what_others_wrote_is_escaped(project: Path) -> None:
    run = firnline.run(["+pipeline={name: '<b>x</b>&'}", "+data.x='<i>'"])
    assert "<b>x</b>&" not in shown(run)
    assert "&lt;b&gt;x&lt;/b&gt;&amp;" in shown(run)
