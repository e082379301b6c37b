"""Starting, finding and stopping a sandbox's server from the shell."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firnline.errors import PlatformError, UsageError
from firnline_sandbox.server import endpoint
from firnline_sandbox.server.calls import CallFailedError, Calls

if TYPE_CHECKING:
    from pathlib import Path

    from firnline_sandbox.server.endpoint import Endpoint

START_S: Final = 60.0
STOP_S: Final = 120.0
_POLL_S: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Who holds a sandbox, and how many sessions others have there."""

    endpoint: Endpoint
    sessions: int


def status(folder: Path) -> Status | None:
    """Ask the holder; None when there is none."""
    calls = Calls(folder)
    known = endpoint.read(folder)
    if known is None:
        return None
    try:
        fields, _ = calls.once("status", {})
    except CallFailedError:
        return None  # it was killed, and could not withdraw its endpoint
    finally:
        calls.close()
    return Status(endpoint=known, sessions=int(fields["sessions"]))


def start(folder: Path, *, port: int = 0) -> Status:
    """Start a server that stays until it is stopped; one that runs already is left alone.

    Raises:
        UsageError: a process that is at work holds the sandbox.
        PlatformError: the server did not start.
    """
    found = status(folder)
    if found is not None:
        if found.endpoint.kind == "started":
            return found
        raise UsageError(
            f"the sandbox in {folder} is held by process {found.endpoint.pid}, which is at work",
            hint="wait until it has finished; other processes can use the sandbox meanwhile, through that process",
        )
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 (this very interpreter)
            [sys.executable, "-m", "firnline_sandbox.server", str(folder), "--by-hand", "--port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        found = status(folder)
        if found is not None and found.endpoint.pid == process.pid:
            return found
        if process.poll() is not None:
            break
        time.sleep(_POLL_S)
    last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
    raise PlatformError(
        f"the sandbox's server did not start: {last[0] if last else f'exit code {process.poll()}'}",
        hint=f"{log} has what it wrote",
    )


def stop(folder: Path) -> Endpoint | None:
    """Let a server finish what it is doing and end it; None when there is none.

    Raises:
        UsageError: a process that is at work holds the sandbox.
        PlatformError: the server does not end.
    """
    found = status(folder)
    if found is None:
        return None
    if found.endpoint.kind == "process":
        raise UsageError(
            f"the sandbox in {folder} is held by process {found.endpoint.pid}, which is at work and no server",
            hint="wait until it has finished, or end it as you would any process",
        )
    calls = Calls(folder)
    with contextlib.suppress(CallFailedError):  # it ended just now
        calls.once("stop", {})
    calls.close()
    deadline = time.monotonic() + STOP_S
    while _is_alive(found.endpoint.pid):
        if time.monotonic() > deadline:
            raise PlatformError(
                f"the sandbox's server, process {found.endpoint.pid}, does not end", hint="end it with `kill`"
            )
        time.sleep(_POLL_S)
    return found.endpoint


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with contextlib.suppress(ChildProcessError):  # where it is this process's own child, it is taken off the list
        return os.waitpid(pid, os.WNOHANG)[0] == 0
    return True
