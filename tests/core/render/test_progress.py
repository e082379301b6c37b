"""A run while it runs: lines, live table, quiet and JSON Lines."""

from __future__ import annotations

import json
import time
from io import StringIO

from rich.console import Console

from firnline.cli.render.progress import ProgressMode, progress_listener
from firnline.cli.render.progress_state import Progress, render_progress
from firnline.domain import Event, event_from_json
from firnline.domain.event import ObserverFailed, RunFinished, StageFailed, StageFinished, StageProgress, StageStarted
from tests.core.samples import NOON, RUN, a_plan, a_stage, failed_events, finished_events, shown


def told(events: list[Event], mode: ProgressMode, *, terminal: bool = False, width: int = 80) -> str:
    """Return what the listener writes about the events."""
    file = StringIO()
    console = Console(file=file, width=width, height=40, force_terminal=terminal)
    now = [NOON]
    with progress_listener(a_plan(), console, mode, clock=lambda: now[0]) as listener:
        for event in events:
            now[0] = event.at
            listener(event)
    return file.getvalue()


def test_lines() -> None:
    assert told(failed_events(), "lines") == (
        """\
     0.0 s  0/6  run started  20261122-141502-9f3a (churn on sandbox)
     0.1 s  1/6  ingest    ○ reused  from 20261121-101010-aaaa
     0.2 s  1/6  features  ▸ started  features.churn
     0.5 s  1/6  features  ▸ running  windows of 30 days  1,000 rows
     1.0 s  1/6  features  ↻ retrying  attempt 1 ended: OperationalError: [lost] it; again in 1.0 s
     2.0 s  1/6  features  ▸ started  features.churn  attempt 2
     4.0 s  2/6  features  ✓ finished  2.0 s  7,043 rows
     4.0 s  2/6  split     ▸ started  split.time
     5.0 s  3/6  split     ✓ finished  1.0 s  7,043 rows
     5.0 s  3/6  train     ▸ started  train.xgboost
     9.0 s  4/6  train     ✗ failed  4.0 s  XGBoostError: unknown objective <b>[red]
    at line 3
    hint: choose binary:logistic
     9.0 s  5/6  evaluate  – skipped  because train failed
     9.0 s  6/6  register  – skipped  because train failed
     9.1 s  6/6  run ✗ failed  9.1 s
"""
    )


def test_lines_are_what_a_pipe_gets() -> None:
    assert told(failed_events(), "auto") == told(failed_events(), "lines")


def test_quiet_shows_failures_only() -> None:
    text = told(
        [*failed_events(), ObserverFailed(at=NOON, plugin="m 1.0", hook="firnline_on_event", message="no")], "quiet"
    )
    assert text.splitlines() == [
        "train  ✗ failed  4.0 s  XGBoostError: unknown objective <b>[red]",
        "    at line 3",
        "    hint: choose binary:logistic",
        "m 1.0: firnline_on_event failed, it is not called again: no",
    ]
    assert told(finished_events(), "quiet") == ""


def test_json_lines_are_the_events() -> None:
    events = failed_events()
    lines = told(events, "json", width=20).splitlines()
    assert [event_from_json(json.loads(line)) for line in lines] == events


def test_json_has_no_nan() -> None:
    event = StageFinished(
        at=1.0, stage="a", key="k", seconds=1.0, outputs={"v": {"x": [float("inf")]}}, metrics={"m": float("nan")}
    )
    data = json.loads(told([event], "json"), parse_constant=lambda name: f"not JSON: {name}")
    assert data["metrics"] == {"m": None}
    assert data["outputs"] == {"v": {"x": [None]}}


def test_live_ends_with_the_whole_table() -> None:
    text = told(failed_events(), "live", terminal=True, width=100)
    assert text.count("\x1b[?25l") == 1, "the cursor is hidden once"
    assert text.rstrip().endswith("\x1b[?25h"), "and shown again"
    last = text[text.rindex("ingest") :]
    for word in ("features", "train", "XGBoostError", "train failed", RUN):
        assert word in last


def test_live_is_what_a_terminal_gets() -> None:
    assert "\x1b[" in told(finished_events(), "auto", terminal=True)


def test_live_shows_the_cursor_again_when_the_run_raises() -> None:
    file = StringIO()
    console = Console(file=file, width=80, force_terminal=True)
    try:
        with progress_listener(a_plan(), console, "live"):
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert file.getvalue().rstrip().endswith("\x1b[?25h")


def test_table_of_a_running_run() -> None:
    progress = Progress(a_plan())
    for event in failed_events()[:11]:
        progress.apply(event)
    assert shown(render_progress(progress, now=NOON + 7.0), 110).splitlines() == [
        "stage      state               time         rows   ~credits",
        "───────────────────────────────────────────────────────────────────────────────────────",
        "ingest     ○ reused                                           from 20261121-101010-aaaa",
        "features   ✓ finished         2.0 s        7,043       0.01",
        "split      ✓ finished         1.0 s        7,043       0.01",
        "train      ▸ running          2.0 s                    0.02",
        "evaluate   · waiting                                   0.01",
        "register   · waiting                                   0.01",
        "20261122-141502-9f3a  2 finished, 1 reused, 1 running, 2 waiting  7.0 s",
    ]


def test_retry_gate_and_interrupt_have_states_of_their_own() -> None:
    progress = Progress(a_plan(a_stage("gate"), a_stage("stop"), a_stage("again")))
    failure = {"at": 1.0, "seconds": 1.0, "kind": "K", "message": "m"}
    progress.apply(StageFailed(stage="gate", gate=True, **failure))
    progress.apply(StageFailed(stage="stop", interrupted=True, **failure))
    progress.apply(failed_events()[5])
    assert [line.state for line in progress.lines.values()] == ["stopped", "interrupted", "waiting"]


def test_a_screen_shows_what_is_urgent() -> None:
    progress = Progress(a_plan(*(a_stage(f"s{i}") for i in range(500))))
    progress.apply(StageStarted(at=1.0, stage="s400", step="x", attempt=1, attempt_id="a"))
    progress.apply(StageFailed(at=1.0, stage="s300", seconds=1.0, kind="K", message="broke"))
    lines = shown(render_progress(progress, now=2.0, height=20), 80).splitlines()
    assert len(lines) <= 20
    assert any(line.startswith("s400") for line in lines)
    assert any("K: broke" in line for line in lines)
    assert "… and 486 more stages" in lines


def test_a_thousand_stages_are_told_quickly() -> None:
    plan = a_plan(*(a_stage(f"s{i}") for i in range(1_000)))
    progress = Progress(plan)
    began = time.perf_counter()
    for index in range(1_000):
        progress.apply(StageProgress(at=1.0, stage=f"s{index}", message="m", rows=index))
        progress.apply(StageFinished(at=1.0, stage=f"s{index}", key="k", seconds=1.0, outputs={}))
    shown(render_progress(progress, now=2.0, height=40))
    assert time.perf_counter() - began < 10, "seconds, where milliseconds are expected"


def test_events_of_unknown_stages_do_no_harm() -> None:
    progress = Progress(a_plan())
    progress.apply(StageProgress(at=1.0, stage="nobody", message="m"))
    progress.apply(RunFinished(at=2.0, run_id="r", status="finished", seconds=1.0))
    assert "6 waiting" in shown(render_progress(progress, now=2.0))
