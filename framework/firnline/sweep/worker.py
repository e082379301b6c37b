"""A worker: does one piece of work after the other, and tells what happens meanwhile."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

Tell = Callable[[Any], None]


class Task(Protocol):
    """What workers do with each piece of work. It is pickled, and so is what it returns."""

    def __call__(self, work: Any, tell: Tell) -> Any:
        """Do the work; ``tell`` takes what the launching process shall know already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of work.

    Attributes:
        work: what the task is called with.
        log: where output goes that nothing else catches.
        environment: environment variables that are set meanwhile.
    """

    work: Any
    log: Path
    environment: Mapping[str, str]


def serve(handle: int) -> None:
    """Take the task and then pieces of work from a connection, until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = Connection(handle)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    try:
        task: Task = connection.recv()
        while True:
            piece: Piece = connection.recv()
            connection.send_bytes(_answer(task, piece, connection))
    except (EOFError, ConnectionError):
        return


def _answer(task: Task, piece: Piece, connection: Connection) -> bytes:
    """Return the pickled end of a piece of work: what it returned, or the error."""
    _redirect(piece.log)
    before = {name: os.environ.get(name) for name in piece.environment}
    os.environ.update(piece.environment)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        value = task(piece.work, lambda content: connection.send(("told", content)))
        return pickle.dumps(("returned", value))
    except KeyboardInterrupt:
        return pickle.dumps(("interrupted", None))
    except Exception as error:  # noqa: BLE001 (handed to the launching process, which raises it)
        try:
            return pickle.dumps(("raised", error))
        except Exception:  # noqa: BLE001 (foreign exceptions may hold anything)
            return pickle.dumps(("raised", RuntimeError(f"{type(error).__name__}: {error}")))
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _redirect(log: Path) -> None:
    """Have standard output and error of this process, native code's too, appended to a file."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # a full disk must not take the answer with it
            stream.flush()
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for target in (1, 2):
        os.dup2(handle, target)
    os.close(handle)
