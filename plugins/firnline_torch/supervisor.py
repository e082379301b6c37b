"""Start the trainer, listen to it, stop it with the run, and start it again from its last checkpoint when it is lost.

torchrun's own restarts do not do: where one of several processes dies, the others often cannot join again.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from typing import IO, TYPE_CHECKING, Final

from firnline.errors import DataError, InterruptedRunError, TransientError
from firnline_torch.job import (
    CHECKPOINT_FILE,
    FAILURE_FILE,
    ORDER_FILE,
    OWNER_FILE,
    PROGRESS_FILE,
    RESULT_FILE,
)
from firnline_torch.progress import Reader, wording

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from firnline.domain import StepContext

OWNER_VARIABLE: Final = "FIRNLINE_TRAINER_OWNER"
LOOK_S: Final = 0.1
TERMINATE_S: Final = 5.0
LOG_TAIL: Final = 2_000


@contextlib.contextmanager
def owned(folder: Path) -> Iterator[str]:
    """Hold the folder for this run alone; trainers that see another owner, or none, end themselves.

    Raises:
        TransientError: another run trains the same in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    token = uuid.uuid4().hex
    with (folder / OWNER_FILE).open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TransientError(f"another run trains the same model in {folder}") from error
        file.truncate(0)
        file.write(token)
        file.flush()
        yield token


def supervise(context: StepContext, folder: Path, token: str, *, processes: int, restarts: int) -> None:
    """Have the order in the folder carried out.

    Args:
        context: of the training stage.
        folder: with the exported rows and the order.
        token: this run's, from :func:`owned`.
        processes: how many share the training.
        restarts: how often the trainer is started again when it is lost.

    Raises:
        DataError: the trainer says that the rows or the params are no good.
        InterruptedRunError: the run is to stop.
        TransientError: the trainer was lost more often than it may be.
    """
    (folder / RESULT_FILE).unlink(missing_ok=True)
    log, ended = folder / "trainer.log", ""
    for start in range(restarts + 1):
        if start:
            kept = "its last checkpoint" if (folder / CHECKPOINT_FILE).exists() else "the beginning"
            context.logger.warning("the trainer was lost (%s); starting it again from %s", ended, kept)
        (folder / FAILURE_FILE).unlink(missing_ok=True)
        with log.open("ab") as output:
            code = _attend(context, folder, token, processes, output)
        if code == 0 and (folder / RESULT_FILE).exists():
            return
        if (folder / FAILURE_FILE).exists():
            said = json.loads((folder / FAILURE_FILE).read_text("utf-8"))
            raise DataError(said["message"], hint=said["hint"])
        ended = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
    raise TransientError(
        f"the trainer was lost {restarts + 1} times, last with {ended}: {_tail(log)}",
        hint=f"its whole output is in {log}; it goes on from its last checkpoint when the run is resumed",
    )


def command(folder: Path, processes: int) -> list[str]:
    """Return what starts a trainer on this machine."""
    entry = ["-m", "firnline_torch.entry", str(folder)]
    if processes == 1:
        return [sys.executable, *entry]
    torchrun = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    return [sys.executable, *torchrun, *entry]


def _attend(context: StepContext, folder: Path, token: str, processes: int, output: IO[bytes]) -> int:
    """Start the trainer once and listen until it ends."""
    reader = Reader(folder / PROGRESS_FILE)
    environment = {
        **os.environ,
        OWNER_VARIABLE: token,
        "PYTHONUNBUFFERED": "1",
        # torch asks for it where a GPU is to compute the same twice.
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    }
    process = subprocess.Popen(  # noqa: S603 (our own command)
        command(folder, processes),
        stdout=output,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    )
    try:
        while (code := process.poll()) is None:
            _tell(context, reader)
            if context.is_cancelled():
                raise InterruptedRunError("the training was stopped; its last checkpoint is kept")
            time.sleep(LOOK_S)
        _tell(context, reader)
        return code
    finally:
        _stop(process)


def _tell(context: StepContext, reader: Reader) -> None:
    lines = []
    for line in reader.read():
        if "measured" in line:
            context.measured(line["epoch"], **line["measured"])
        else:
            lines.append(line)
    if lines:
        context.progress(wording(lines[-1]), lines[-1]["rows"])


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the process and its group; torchrun ends its own workers when it is asked to."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sent)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(TERMINATE_S)


def _tail(log: Path) -> str:
    """Return the last lines of the output that say something."""
    text = log.read_bytes()[-LOG_TAIL:].decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-3:])


def is_exported(folder: Path) -> bool:
    """Tell whether an earlier attempt has exported the rows to the end."""
    return (folder / ORDER_FILE).exists()
