"""An attempt in a process of its own, for steps that burn local CPU: it can be killed, and has no session."""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from firnline.domain import PlannedStage, Stage, StepContext, StepSpec
from firnline.errors import FirnlineError, InterruptedRunError, PlatformError, StageError, TransientError
from firnline.run.attempt import Ended, Measured, Progressed, Requested, Workshop
from firnline.run.boundary import describe, is_transient, step_code
from firnline.run.capture import StageLog
from firnline.run.outputs import check_outputs

_TERMINATE_S: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What the child needs to know. Everything in it can be pickled."""

    module: str
    name: str
    planned: PlannedStage
    params: Any
    inputs: Mapping[str, Any]
    run_id: str
    pipeline: str
    attempt_id: str
    directory: Path
    project: Path
    log: Path


class ProcessAttempt:
    """An attempt in a spawned process."""

    def __init__(
        self, shop: Workshop, stage: Stage, planned: PlannedStage, inputs: Mapping[str, Any], attempt_id: str
    ) -> None:
        self.shop, self.stage, self.planned, self.attempt_id = shop, stage, planned, attempt_id
        self.directory = shop.artifacts / attempt_id
        self.log = StageLog(shop.logs / f"{stage.name}.log")
        module, name = _reference(stage.spec)
        job = _Job(
            module=module,
            name=name,
            planned=planned,
            params=stage.params,
            inputs=inputs,
            run_id=shop.run_id,
            pipeline=shop.pipeline,
            attempt_id=attempt_id,
            directory=self.directory,
            project=shop.project,
            log=self.log.path,
        )
        context = multiprocessing.get_context("spawn")
        self._receiver, self._sender = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_child, args=(self._sender, job), name=f"stage {stage.name}", daemon=True
        )
        self._lock = threading.Lock()  # starting and ending the process exclude each other
        self._cancelled = False

    def start(self) -> None:
        """Begin. Starting a process takes some 50 ms, so a thread does it and then listens."""
        self.directory.mkdir(parents=True)
        self.log.path.parent.mkdir(parents=True, exist_ok=True)
        threading.Thread(target=self._listen, name=f"listen to {self.stage.name}", daemon=True).start()

    def cancel(self) -> None:
        """End the process: politely, then by force; returns at once."""
        threading.Thread(target=self._end, daemon=True).start()

    def _end(self) -> None:
        with self._lock:
            self._cancelled = True
            if self._process.pid is None:
                return  # it never starts now
        self._process.terminate()
        self._process.join(_TERMINATE_S)
        if self._process.is_alive():
            self._process.kill()

    def _listen(self) -> None:
        ended = Ended(self.stage.name, self.attempt_id, None, None)
        try:
            self._start_process()
            self._sender.close()
            ended = self._receive()
        except Exception as error:  # noqa: BLE001 (handed to the run, which decides)
            ended = Ended(self.stage.name, self.attempt_id, None, error)
        finally:
            with contextlib.suppress(OSError):
                self.directory.rmdir()
            self.shop.mailbox.put(ended)

    def _start_process(self) -> None:
        with self._lock:
            if self._cancelled:
                raise InterruptedRunError("it was cancelled before its process started")
            self._process.start()

    def _receive(self) -> Ended:
        while True:
            try:
                kind, *content = self._receiver.recv()
            except EOFError:
                self._process.join()
                raise self._died(self._process.exitcode) from None
            if kind == "progress":
                self.shop.mailbox.put(Progressed(self.stage.name, *content))
                continue
            if kind == "measured":
                self.shop.mailbox.put(Measured(self.stage.name, *content))
                continue
            if kind == "request":
                self.shop.mailbox.put(Requested(self.stage.name, *content))
                continue
            self._process.join(_TERMINATE_S)
            if self._process.is_alive():  # a thread of the step's own goes on, though its work is done
                self._process.kill()
            return Ended(self.stage.name, self.attempt_id, *content)

    def _died(self, code: int | None) -> StageError:
        how = f"was killed by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}"
        return StageError(
            f"the stage's process {how} without an answer",
            stage=self.stage.name,
            step=self.planned.step,
            plugin=self.planned.plugin,
            hint="signal 9 often means that memory ran out" if code == -9 else f"see {self.log.path}",
        )


def _reference(spec: StepSpec) -> tuple[str, str]:
    if isinstance(spec.run, str):
        module, _, name = spec.run.partition(":")
        return module, name
    return spec.run.__module__, spec.run.__qualname__


def _child(sender: Connection, job: _Job) -> None:
    """Run in the child: do the work and send what comes out."""
    # A terminal sends Ctrl-C to children too; whether and how to stop is the parent's decision.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_parent()
    log = os.open(job.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    outputs, error = None, None
    try:
        function, spec = _find(job)
        with step_code(job.planned):
            returned = function(_context(sender, job), job.params, **job.inputs)
        outputs = check_outputs(spec, job.planned, returned, job.directory) if spec else returned
    except BaseException as raised:  # noqa: BLE001 (sent to the parent, which decides)
        print(describe(raised), file=sys.stderr)  # noqa: T201 (standard error is the stage's log)
        error = _picklable(raised, job)
    sender.send(("ended", outputs, error))
    sender.close()


def _find(job: _Job) -> tuple[Any, StepSpec | None]:
    target: Any = importlib.import_module(job.module)
    for part in job.name.split("."):
        target = getattr(target, part)
    if isinstance(target, StepSpec):  # made by the decorator, whose name hides the function
        return target.run, target
    return target, None


def _context(sender: Connection, job: _Job) -> StepContext:
    log = StageLog(job.log)

    def no_session() -> Any:
        raise PlatformError(
            f"step {job.planned.step} runs in a process and has no session",
            hint="register it with runs_in='thread', or take what it needs as files",
        )

    return StepContext(
        stage=job.planned.name,
        run_id=job.run_id,
        pipeline=job.pipeline,
        key=job.planned.key,
        input_keys={name: job.planned.parts[f"input:{name}"] for name in job.planned.inputs},
        attempt=job.attempt_id,
        directory=job.directory,
        project=job.project,
        schema="",
        logger=log.logger,
        open_session=no_session,
        report=lambda message, rows: sender.send(("progress", message, rows)),
        is_cancelled=lambda: False,
        tell_metrics=lambda step, metrics: sender.send(("measured", step, metrics)),
        ask_run=lambda overrides, reason: sender.send(("request", overrides, reason)),
    )


def _picklable(error: BaseException, job: _Job) -> BaseException:
    """Return the error if it survives the way to the parent, else one of ours that says the same."""
    if not isinstance(error, StageError):
        try:
            copy = pickle.loads(pickle.dumps(error))  # noqa: S301 (our own bytes)
            if isinstance(copy, FirnlineError):
                return error
        except Exception as problem:  # noqa: BLE001 (an error class that cannot be pickled is what we look for)
            print(f"the error cannot be sent as it is: {problem}", file=sys.stderr)  # noqa: T201
    hint = error.hint if isinstance(error, FirnlineError) else None
    message = error.message if isinstance(error, FirnlineError) else f"{type(error).__name__}: {error}"
    sent = _SentError(message, stage=job.planned.name, step=job.planned.step, plugin=job.planned.plugin, hint=hint)
    if is_transient(error):
        sent.__cause__ = TransientError(message)
    return sent


class _SentError(StageError):
    """A stage's error as it comes out of the child.

    Its cause stays there, with its traceback in the log; whether that was transient goes along.
    """

    def __reduce__(self) -> Any:
        return _rebuild, (self.message, self.stage, self.step, self.plugin, self.hint, is_transient(self))


def _rebuild(message: str, stage: str, step: str, plugin: str, hint: str | None, transient: bool) -> StageError:
    error = StageError(message, stage=stage, step=step, plugin=plugin, hint=hint)
    if transient:
        error.__cause__ = TransientError(message)
    return error


def _end_with_parent() -> None:
    """End this process when the parent is gone, however it ended: nobody else would stop it."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
