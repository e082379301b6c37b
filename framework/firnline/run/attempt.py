"""One attempt at a stage: hand the step its context and inputs, check what it returns, tell the run."""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from firnline.domain import Artifact, PlannedStage, Platform, Stage, StepContext, load_callable
from firnline.errors import FirnlineError, PlatformError
from firnline.run.boundary import describe, step_code
from firnline.run.capture import Capture, StageLog
from firnline.run.outputs import check_outputs

if TYPE_CHECKING:
    from snowflake.snowpark import Session


_CANCEL_EVERY_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Progressed:
    """A step told how far it is."""

    stage: str
    message: str
    rows: int | None


@dataclass(frozen=True, slots=True)
class Measured:
    """A step told how good it is so far."""

    stage: str
    step: int
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Requested:
    """A step asks for another run."""

    stage: str
    overrides: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt ended: with outputs, or with an error."""

    stage: str
    attempt_id: str
    outputs: Mapping[str, Artifact] | None
    error: BaseException | None


@dataclass(frozen=True, slots=True)
class StopAsked:
    """The run shall stop: the user wants it (Ctrl-C, SIGTERM), or a guard or a search's pruner, which say why."""

    reason: str = ""
    pruned: bool = False


Mailbox = SimpleQueue[Progressed | Measured | Requested | Ended | StopAsked]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What all attempts of a run share.

    Attributes:
        run_id: the run.
        pipeline: the pipeline's name.
        project: the project folder.
        artifacts: the folder of artifact folders.
        logs: the folder of the stages' logs.
        open_platform: returns the opened platform.
        claim: notes that an attempt is about to make a table: (attempt id, table).
        mailbox: gets what attempts have to say.
        prepare: sets up a session that a stage has just opened: (session, stage).
        capture: redirects what stages print.
    """

    run_id: str
    pipeline: str
    project: Path
    artifacts: Path
    logs: Path
    open_platform: Callable[[], Platform]
    claim: Callable[[str, str], None]
    mailbox: Mailbox
    prepare: Callable[[Session, str], None] | None = None
    capture: Capture = field(default_factory=Capture)


class ThreadAttempt:
    """An attempt in a thread of this process. A step that ignores cancellation is left behind as a daemon."""

    def __init__(
        self, shop: Workshop, stage: Stage, planned: PlannedStage, inputs: Mapping[str, Any], attempt_id: str
    ) -> None:
        self.shop, self.stage, self.planned, self.attempt_id = shop, stage, planned, attempt_id
        self.inputs = inputs
        self.directory = shop.artifacts / attempt_id
        self.log = StageLog(shop.logs / f"{stage.name}.log")
        self._cancelled = threading.Event()
        self._sessions: list[Session] = []
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name=f"stage {stage.name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def cancel(self) -> None:
        """Ask the step to stop and stop its running queries; returns at once."""
        self._cancelled.set()
        # In a thread of its own: asking the platform may take long, or wait for the very query.
        threading.Thread(target=self._cancel_queries, name=f"cancel {self.stage.name}", daemon=True).start()

    def _cancel_queries(self) -> None:
        """Stop the attempt's queries until it ends: the next one may start when this one has been stopped."""
        while self._thread.is_alive():
            for session in tuple(self._sessions):
                try:
                    session.cancel_all()
                except Exception as error:  # noqa: BLE001 (the attempt is given up in any case; the log keeps why)
                    self.log.write(f"cancelling the queries failed: {error}\n")
                    return
            self._thread.join(_CANCEL_EVERY_S)

    def _work(self) -> None:
        outputs: Mapping[str, Artifact] | None = None
        error: BaseException | None = None
        try:
            with self.shop.capture.into(self.log):
                outputs = self._run_step()
        except BaseException as raised:  # noqa: BLE001 (handed to the run, which decides)
            error = raised
            self.log.write(describe(raised))
        finally:
            self._close_sessions()
            self.log.close()
            self.shop.mailbox.put(Ended(self.stage.name, self.attempt_id, outputs, error))

    def _run_step(self) -> Mapping[str, Artifact]:
        self.directory.mkdir(parents=True)
        spec = self.stage.spec
        with step_code(self.planned):
            function = load_callable(spec.run)
            returned = function(self._context(), self.stage.params, **self.inputs)
        outputs = check_outputs(spec, self.planned, returned, self.directory)
        with contextlib.suppress(OSError):  # not empty: the outputs are in it
            self.directory.rmdir()
        return outputs

    def _context(self) -> StepContext:
        return StepContext(
            stage=self.stage.name,
            run_id=self.shop.run_id,
            pipeline=self.shop.pipeline,
            key=self.planned.key,
            input_keys={name: self.planned.parts[f"input:{name}"] for name in self.planned.inputs},
            attempt=self.attempt_id,
            directory=self.directory,
            project=self.shop.project,
            schema=self.shop.open_platform().schema() if self.stage.spec.platform else "",
            logger=self.log.logger,
            open_session=self._open_session,
            claim=lambda table: self.shop.claim(self.attempt_id, table),
            report=lambda message, rows: self.shop.mailbox.put(Progressed(self.stage.name, message, rows)),
            is_cancelled=self._cancelled.is_set,
            tell_metrics=lambda step, metrics: self.shop.mailbox.put(Measured(self.stage.name, step, metrics)),
            ask_run=lambda overrides, reason: self.shop.mailbox.put(Requested(self.stage.name, overrides, reason)),
        )

    def _open_session(self) -> Session:
        with self._lock:
            if self._sessions:
                return self._sessions[0]
            if not self.stage.spec.platform:
                raise PlatformError(
                    f"step {self.stage.spec.id} asks for a session but is registered without platform=True",
                    hint="register the step with platform=True",
                )
            tag = {
                "tool": "firnline",
                "pipeline": self.shop.pipeline,
                "stage": self.stage.name,
                "run": self.shop.run_id,
            }
            session = self.shop.open_platform().session(json.dumps(tag))
            self._sessions.append(session)
            if self.shop.prepare is not None:
                self.shop.prepare(session, self.stage.name)
            return session

    def _close_sessions(self) -> None:
        with self._lock:
            sessions, self._sessions = self._sessions, []
        for session in sessions:
            try:
                session.close()
            except Exception as error:  # noqa: BLE001 (the stage's own result counts; the log keeps this)
                self.log.write(f"closing the session failed: {error}\n")


def discard_files(directory: Path) -> None:
    """Remove what an attempt wrote; what cannot be removed now is left to the next run."""
    shutil.rmtree(directory, ignore_errors=True)


def hint_of(error: BaseException) -> str | None:
    """Return the hint of an error of ours."""
    return error.hint if isinstance(error, FirnlineError) else None
