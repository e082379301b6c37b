"""Plan → run → record: execute what was planned, write down what happens, and show it."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any, Final

from firnline.app.installed import Installed
from firnline.app.planning import Planned, guard_code, planned
from firnline.app.pruning import open_pruning, pruned_by
from firnline.config import Composed
from firnline.domain import EarlierOutput, Event, GuardedRun, Plan, RunRecord, RunStarted, TrackedRun, fold, new_run_id
from firnline.errors import FirnlineError
from firnline.plan import PlanOptions
from firnline.record import KeyClaims, Past, Recorder, RunLock, Store, Trackers, describe_environment, is_alive
from firnline.run import Order, StopAsked, Workshop, execute
from firnline.run.attempt import Mailbox, discard_files

_RECORDED_DISTRIBUTIONS: Final = (
    "duckdb",
    "firnline",
    "hydra-core",
    "numpy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "snowflake-connector-python",
    "snowflake-ml-python",
    "snowflake-snowpark-python",
    "sqlglot",
    "torch",
    "xgboost",
    "xgboost-cpu",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What the user asked for beside the configuration.

    Attributes:
        plan: what to reuse and what to leave out.
        sweep_id: the multirun that this run is a job of.
        reason: why the run is made.
        requested_by: the run whose stage asked for it.
        listen: makes the listener that shows the run, from its plan.
    """

    plan: PlanOptions = field(default_factory=PlanOptions)
    sweep_id: str | None = None
    reason: str = ""
    requested_by: str | None = None
    listen: Callable[[Plan], Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a run.

    Attributes:
        record: the run's record.
        plan: the plan that it executed.
        folder: the run's folder.
        report: the run's ``report.html``.
    """

    record: RunRecord
    plan: Plan
    folder: Path
    report: Path

    @property
    def exit_code(self) -> int:
        """0 done or pruned · 1 a stage failed · 3 stopped by a guard · 4 stopped by a gate · 130 interrupted."""
        by_gate = any(stage.gate for stage in self.record.stages.values())
        return {"finished": 0, "stopped": 4 if by_gate else 3, "interrupted": 130, "pruned": 0}.get(
            self.record.status, 1
        )


def run_pipeline(composed: Composed, installed: Installed, options: RunOptions | None = None) -> Outcome:
    """Plan and execute a composed configuration, and record what happens. Raises as :func:`planned`."""
    options = options if options is not None else RunOptions()
    with planned(composed, installed, options.plan, options.sweep_id) as ready:
        return _execute(ready, composed, installed, options)


def _execute(ready: Planned, composed: Composed, installed: Installed, options: RunOptions) -> Outcome:
    started = time.time()
    store = ready.store
    run_id, folder = _new_folder(store, started)
    lock = RunLock(folder)
    try:
        trackers = _trackers(ready, composed, run_id, folder)
        recorder = Recorder(store, run_id, ready.plan, installed.hooks, ready.platform.get, trackers)
        _throw_away_leftovers(recorder, ready)
        facts, failures = installed.hooks.environment()
        environment = describe_environment(composed.project, _RECORDED_DISTRIBUTIONS) | facts
        environment["platform"] = ready.plan.platform
        _write_inputs(folder, composed, ready.plan, environment, options.plan)
        store.begin(run_id, ready.plan, started)
        mailbox: Mailbox = Mailbox()
        order = _order(ready, composed, options, recorder, started, mailbox)
        for failure in failures:
            recorder.hook_failed(failure)
        prune = open_pruning(store.root, options.sweep_id, composed.job)
        with _stop_on_signal(mailbox), _watched(ready, run_id, mailbox) as trouble:
            events = pruned_by(prune, execute(order), mailbox) if prune is not None else execute(order)
            record = _listen(events, recorder, options, ready.plan)
    finally:
        lock.release()
    report = _write_report(folder, record, ready.plan, composed, environment)
    if trouble:
        raise trouble[0]
    return Outcome(record=record, plan=ready.plan, folder=folder, report=report)


def _trackers(ready: Planned, composed: Composed, run_id: str, folder: Path) -> Trackers:
    run = TrackedRun(
        run_id=run_id,
        plan=ready.plan,
        project=composed.project,
        store=ready.store.root,
        folder=folder,
        open_platform=ready.platform.get if ready.pipeline.uses_platform else None,
    )
    return Trackers(ready.pipeline.trackers, run)


@contextmanager
def _watched(ready: Planned, run_id: str, mailbox: Mailbox) -> Iterator[list[FirnlineError]]:
    """Let the guard watch; what goes wrong at its end is collected, so that the run is recorded and reported first."""
    trouble: list[FirnlineError] = []
    if ready.guard is None:
        yield trouble
        return
    run = GuardedRun(run_id=run_id, plan=ready.plan, stop=lambda reason: mailbox.put(StopAsked(reason)))
    with guard_code(ready.pipeline):
        around = ready.guard.around(run)
        around.__enter__()
    try:
        yield trouble
    finally:
        try:
            with guard_code(ready.pipeline):
                around.__exit__(None, None, None)
        except FirnlineError as error:
            trouble.append(error)


def _new_folder(store: Store, started: float) -> tuple[str, Path]:
    """Make the folder of a new run, whose name no other process has taken."""
    while True:
        run_id = new_run_id(datetime.fromtimestamp(started).astimezone())
        folder = store.folder(run_id)
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return run_id, folder


def _order(
    ready: Planned, composed: Composed, options: RunOptions, recorder: Recorder, started: float, mailbox: Mailbox
) -> Order:
    store, plan, run_id = ready.store, ready.plan, recorder.run_id
    past = Past(store)
    shop = Workshop(
        run_id=run_id,
        pipeline=plan.pipeline,
        project=composed.project,
        artifacts=store.artifacts,
        logs=store.folder(run_id) / "logs",
        open_platform=ready.platform.get,
        claim=store.claim,
        mailbox=mailbox,
        prepare=ready.guard.prepare if ready.guard is not None else None,
    )
    return Order(
        plan=plan,
        pipeline=ready.pipeline,
        shop=shop,
        reused=past.outputs([stage.key for stage in plan.stages if stage.action == "reuse"]),
        clock=time.time,
        started=RunStarted(
            at=started,
            run_id=run_id,
            pipeline=plan.pipeline,
            plan_hash=plan.hash,
            pid=os.getpid(),
            platform=plan.platform,
            overrides=composed.overrides,
            sweep_id=options.sweep_id,
            job=composed.job,
            reason=options.reason,
            requested_by=options.requested_by,
        ),
        discard=lambda attempt_id: _discard_tables(recorder, ready, attempt_id),
        keep=lambda attempt_id: store.release([attempt_id]),
        claims=KeyClaims(store.root / "claims", run_id),
        made_since=lambda key: _made_since(past, key, ready.known),
    )


def _made_since(past: Past, key: str, before: Mapping[str, EarlierOutput]) -> EarlierOutput | None:
    """Return the output of a key that another run made since this one was planned."""
    made = past.outputs([key]).get(key)
    if made is None or not made.intact or (key in before and before[key].run_id == made.run_id):
        return None
    return made


def _listen(events: Generator[Event], recorder: Recorder, options: RunOptions, plan: Plan) -> RunRecord:
    """Record the events as they come and show them; returns what they amount to."""
    listener = options.listen(plan) if options.listen is not None else nullcontext(lambda _: None)
    try:
        # Closed, so that whatever goes wrong here (a full disk) cancels what runs.
        with listener as show, closing(events) as open_events:
            for event in open_events:
                for recorded in recorder.record(event):
                    show(recorded)
    finally:
        recorder.close()
    record = fold(recorder.events)
    assert record is not None, "the first event starts the run"
    return record


def _write_inputs(
    folder: Path, composed: Composed, plan: Plan, environment: dict[str, str], options: PlanOptions
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(composed.to_yaml(), "utf-8")
    (folder / "plan.json").write_text(json.dumps(plan.to_json(), indent=1), "utf-8")
    (folder / "environment.json").write_text(json.dumps(environment, indent=1), "utf-8")
    asked = {"only": options.only, "start": options.start, "no_cache": options.no_cache, "anew": sorted(options.anew)}
    facts = {"choices": dict(composed.choices), "overrides": list(composed.overrides), "options": asked}
    (folder / "overrides.json").write_text(json.dumps(facts, indent=1), "utf-8")


def _write_report(folder: Path, record: RunRecord, plan: Plan, composed: Composed, environment: dict[str, str]) -> Path:
    from firnline.record.report import render_report

    page = render_report(
        record,
        plan,
        config_yaml=composed.to_yaml(),
        environment=environment,
        project=composed.project,
        cache=folder.parents[1] / "cache",
    )
    path = folder / "report.html"
    path.write_text(page, "utf-8")
    return path


def _throw_away_leftovers(recorder: Recorder, ready: Planned) -> None:
    """Discard what attempts of killed runs left behind, on this platform and on disk."""
    store, done = recorder.store, []
    for leftover in store.leftovers(lambda run_id: is_alive(store.folder(run_id))):
        if leftover.tables:
            if leftover.platform != ready.plan.platform:
                continue  # its tables are elsewhere; a later run there takes care of them
            if not _discard_from_platform(recorder, ready, leftover.tables):
                continue
        discard_files(store.artifacts / leftover.attempt_id)
        done.append(leftover.attempt_id)
    if done:
        store.release(done)


def _discard_tables(recorder: Recorder, ready: Planned, attempt_id: str) -> None:
    tables = recorder.store.claimed(attempt_id)
    if not tables or _discard_from_platform(recorder, ready, tables):
        recorder.store.release([attempt_id])


def _discard_from_platform(recorder: Recorder, ready: Planned, tables: Sequence[str]) -> bool:
    """Drop tables; False if the platform cannot now. Their claims stay then, so that the next run tries again."""
    try:
        ready.platform.get().discard(tables)
    except Exception as error:  # noqa: BLE001 (foreign code of the platform; becomes an event)
        recorder.platform_failed("discard", error)
        return False
    return True


@contextmanager
def _stop_on_signal(mailbox: Mailbox) -> Iterator[None]:
    """Turn the first Ctrl-C or SIGTERM into a clean stop; a second Ctrl-C stops at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        mailbox.put(StopAsked())

    for number in before:
        signal.signal(number, ask)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
