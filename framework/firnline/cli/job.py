"""One job of ``firnline run``: alone, or one of many. Picklable, for launchers that use processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import click

from firnline.errors import FirnlineError, RefusedError

if TYPE_CHECKING:
    from firnline.app import Installed, Outcome
    from firnline.config import Composed
    from firnline.domain import Event, Plan, RunRecord
    from firnline.sweep import JobEnd, SweepFolder

Mode = Literal["auto", "quiet", "json"]
_LOG_WIDTH = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Run a composed configuration and show it."""

    mode: Mode
    only: str | None = None
    start: str | None = None
    no_cache: bool = False
    anew: frozenset[str] = frozenset()
    sweep_id: str | None = None
    resumed: bool = False
    reason: str = ""
    requested_by: str | None = None
    announce: Callable[[Plan], None] | None = None

    def __call__(self, composed: Composed) -> float | tuple[float, ...] | None:
        """Run as a job of a multirun, by whatever launcher; returns what the sweeper optimises."""
        return self.run_in_sweep(composed).value

    def run_in_sweep(self, composed: Composed, tell: Callable[[Any], None] | None = None) -> JobEnd:
        """Run as a job of a multirun; returns what became of it.

        Args:
            composed: its configuration.
            tell: takes the plan and then every event, in a worker: nothing is shown here then.
        """
        from firnline.sweep import JobEnd, SweepFolder
        from firnline.sweep.folder import OUT_OF_BUDGET

        assert self.sweep_id is not None, "a job of a multirun has one"
        folder, number = SweepFolder.of(composed.project, composed.data, self.sweep_id), composed.job or 0
        record = self._done_before(folder, number) if self.resumed else None
        if record is not None:
            return JobEnd(status="skipped", value=_objective(record, composed), run_id=record.run_id)
        if folder.stopped:
            if folder.stopped.startswith(OUT_OF_BUDGET):
                folder.note_without_result(composed, "not started: budget")
            return JobEnd(status="not started", message=folder.stopped)
        return self._run_in_sweep(composed, folder, number, tell)

    def _done_before(self, folder: SweepFolder, number: int) -> RunRecord | None:
        """Return the run that finished this job, when a multirun is resumed."""
        from firnline.record import Store
        from firnline.sweep import latest_runs

        store = Store(folder.store)
        try:
            records = latest_runs(store, str(self.sweep_id), job=number)
        finally:
            store.close()
        return next((record for record in records if record.status == "finished"), None)

    def _run_in_sweep(
        self, composed: Composed, folder: SweepFolder, number: int, tell: Callable[[Any], None] | None
    ) -> JobEnd:
        from rich.console import Console

        from firnline.cli.render.text import joined
        from firnline.sweep import JobEnd
        from firnline.sweep.folder import INTERRUPTED

        if self.mode == "auto" and tell is None:
            Console().print(joined((f"job {number}", "bold"), f" {' '.join(composed.overrides)}"), highlight=False)
        with folder.log(number).open("a", encoding="utf-8") as log:
            log.write(f"job {number} {' '.join(composed.overrides)}\n")
            try:
                outcome = self.execute(composed, log, tell)
            except FirnlineError as error:
                log.write(f"{error}\n")
                return _not_a_run(error, composed, folder, shows=tell is None)
            _append_stage_logs(log, outcome.folder / "logs")
            for request in outcome.record.requests:
                log.write(f"{request.stage} asks for a run, which no multirun starts: {' '.join(request.overrides)}\n")
        record = outcome.record
        if record.status == "interrupted":
            folder.stop(INTERRUPTED)
        elif outcome.exit_code not in {0, 4}:  # that a gate stops a candidate is no failure
            folder.note_failed(number, composed.data.get("sweep") or {})
        return JobEnd(
            status="failed" if record.status == "running" or record.status == "killed" else record.status,
            value=_objective(record, composed),
            message=_why(record),
            run_id=record.run_id,
        )

    def run(self, composed: Composed) -> int:
        """Run alone, then what its stages asked for; returns the exit code of the first that did not end well."""
        from rich.console import Console

        from firnline.cli.render.summary import render_next_steps, render_summary
        from firnline.cli.requested import start_requested

        outcome = self.execute(composed)
        if self.mode == "auto":
            Console().print(render_summary(outcome.record, report=shown_path(outcome.report, composed.project)))
        elif self.mode == "quiet" and outcome.exit_code:  # what failed was shown when it did
            Console(stderr=True).print(render_next_steps(outcome.record, shown_path(outcome.report, composed.project)))
        followed = start_requested(outcome, composed, self.mode) if outcome.record.requests else 0
        return outcome.exit_code or followed

    def execute(
        self, composed: Composed, log: IO[str] | None = None, tell: Callable[[Any], None] | None = None
    ) -> Outcome:
        """Run a composed configuration; what happens is also written to ``log``, and told instead of shown."""
        from rich.console import Console

        from firnline.app import RunOptions, run_pipeline
        from firnline.cli.render.progress import progress_listener
        from firnline.plan import PlanOptions

        @contextmanager
        def listen(plan: Plan) -> Iterator[Callable[[Event], None]]:
            if self.announce is not None:
                self.announce(plan)
            written = Console(file=log, width=_LOG_WIDTH) if log is not None else Console(quiet=True)
            with (
                progress_listener(plan, Console(quiet=tell is not None), self.mode) as shown,
                progress_listener(plan, written, "lines" if log is not None else "quiet") as write,
            ):
                show = shown if tell is None else tell
                if tell is not None:
                    tell(plan)

                def both(event: Event) -> None:
                    write(event)
                    show(event)

                yield both if log is not None else show

        options = RunOptions(
            plan=PlanOptions(no_cache=self.no_cache, start=self.start, only=self.only, anew=self.anew),
            sweep_id=self.sweep_id,
            reason=self.reason,
            requested_by=self.requested_by,
            listen=listen,
        )
        return run_pipeline(composed, installed(), options)


def installed() -> Installed:
    """Load the plugins; ``FIRNLINE_TRACE_HOOKS=1`` writes each hook call to standard error."""
    from firnline.app import load_installed

    trace = (lambda line: click.echo(line, err=True, nl=False)) if os.environ.get("FIRNLINE_TRACE_HOOKS") else None
    return load_installed(trace)


@dataclass(frozen=True, slots=True)
class PooledJob:
    """What the workers of a pool do with each configuration."""

    job: Job

    def __call__(self, work: Composed, tell: Callable[[Any], None]) -> JobEnd:
        """Run it as a job of a multirun."""
        return self.job.run_in_sweep(work, tell)


def _objective(record: RunRecord, composed: Composed) -> float | tuple[float, ...] | None:
    """Return what the sweeper optimises; None if the job does not have it."""
    metric = (composed.data.get("sweep") or {}).get("metric")
    if record.status != "finished" or not metric:
        return None
    if isinstance(metric, str):
        return record.metrics.get(metric)
    values = tuple(record.metrics[name] for name in metric if name in record.metrics)
    return values if len(values) == len(metric) else None


def _not_a_run(error: FirnlineError, composed: Composed, folder: SweepFolder, *, shows: bool) -> JobEnd:
    """Note for the end of the multirun why a job never became a run; other jobs go on."""
    from rich.console import Console

    from firnline.cli.render.problems import render_error
    from firnline.sweep import JobEnd
    from firnline.sweep.folder import OUT_OF_BUDGET

    if shows:
        Console(stderr=True).print(render_error(error))
    if isinstance(error, RefusedError) and error.out_of_budget:
        if shows:  # a pool first waits for what other jobs have reserved
            folder.note_without_result(composed, f"not started: budget: {error.message}")
            folder.stop(OUT_OF_BUDGET + error.message)
        return JobEnd(status="refused", message=error.message, out_of_budget=True)
    folder.note_not_started(composed, error)
    folder.note_failed(composed.job or 0, composed.data.get("sweep") or {})
    return JobEnd(status="refused" if isinstance(error, RefusedError) else "invalid", message=error.message)


def _why(record: RunRecord) -> str:
    """Return the reason of the first stage that did not end well, in one line."""
    for name, stage in record.stages.items():
        if stage.error:
            return f"{name}: {stage.error}"
    return ""


def _append_stage_logs(log: IO[str], folder: Path) -> None:
    for file in sorted(folder.glob("*.log"), key=lambda file: file.stat().st_mtime):
        text = file.read_text("utf-8", errors="replace")
        if text:
            log.write(f"\n--- log of stage {file.stem}\n{text}")


def shown_path(path: Path, project: Path) -> Path:
    """Return a path as it is shown: relative to the project where it is in it."""
    return path.relative_to(project) if path.is_relative_to(project) else path
