"""One job of ``firnline run``: alone, or one of many. Picklable, for launchers that use processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

import click

from firnline.errors import FirnlineError

if TYPE_CHECKING:
    from firnline.app import Installed, Outcome
    from firnline.config import Composed
    from firnline.domain import Event, Plan, RunRecord
    from firnline.sweep import SweepFolder

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
        """Run as a job of a multirun; returns what the sweeper optimises."""
        from firnline.sweep import SweepFolder

        assert self.sweep_id is not None, "a job of a multirun has one"
        folder, number = SweepFolder.of(composed.project, composed.data, self.sweep_id), composed.job or 0
        record = self._done_before(folder, number) if self.resumed else None
        if record is None and not folder.stopped:
            record = self._run_in_sweep(composed, folder, number)
        metric = (composed.data.get("sweep") or {}).get("metric")
        if record is None or record.status != "finished" or not metric:
            return None
        if isinstance(metric, str):
            return record.metrics.get(metric)
        values = tuple(record.metrics[name] for name in metric if name in record.metrics)
        return values if len(values) == len(metric) else None

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

    def _run_in_sweep(self, composed: Composed, folder: SweepFolder, number: int) -> RunRecord | None:
        from rich.console import Console

        from firnline.cli.render.problems import render_error
        from firnline.cli.render.text import joined
        from firnline.sweep import INTERRUPTED

        sweep = composed.data.get("sweep") or {}
        if self.mode == "auto":
            Console().print(joined((f"job {number}", "bold"), f" {' '.join(composed.overrides)}"), highlight=False)
        with folder.log(number).open("a", encoding="utf-8") as log:
            log.write(f"job {number} {' '.join(composed.overrides)}\n")
            try:
                outcome = self.execute(composed, log)
            except FirnlineError as error:
                # Other jobs go on; the sweep's end reports that this one never became a run.
                Console(stderr=True).print(render_error(error))
                log.write(f"{error}\n")
                folder.note_not_started(composed, error)
                folder.note_failed(number, sweep)
                return None
            _append_stage_logs(log, outcome.folder / "logs")
            for request in outcome.record.requests:
                log.write(f"{request.stage} asks for a run, which no multirun starts: {' '.join(request.overrides)}\n")
        if outcome.record.status == "interrupted":
            folder.stop(INTERRUPTED)
        elif outcome.exit_code not in {0, 4}:  # that a gate stops a candidate is no failure
            folder.note_failed(number, sweep)
        return outcome.record

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

    def execute(self, composed: Composed, log: IO[str] | None = None) -> Outcome:
        """Run a composed configuration; what happens is also written to ``log``."""
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
                progress_listener(plan, Console(), self.mode) as show,
                progress_listener(plan, written, "lines" if log is not None else "quiet") as write,
            ):

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


def _append_stage_logs(log: IO[str], folder: Path) -> None:
    for file in sorted(folder.glob("*.log"), key=lambda file: file.stat().st_mtime):
        text = file.read_text("utf-8", errors="replace")
        if text:
            log.write(f"\n--- log of stage {file.stem}\n{text}")


def shown_path(path: Path, project: Path) -> Path:
    """Return a path as it is shown: relative to the project where it is in it."""
    return path.relative_to(project) if path.is_relative_to(project) else path
