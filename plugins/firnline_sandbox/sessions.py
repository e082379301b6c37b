"""Opening a sandbox, and Snowpark sessions on it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.engine import MEMORY, OPEN_TIMEOUT_S, SandboxEngine, is_open_here
from firnline_sandbox.locks import SandboxBusyError

if TYPE_CHECKING:
    from snowflake.snowpark import Session

    from firnline_sandbox.connection import SandboxConnection
    from firnline_sandbox.server.remote import RemoteEngine

_POLL_S: Final = 0.05


def open_sandbox(path: str | Path = MEMORY, *, timeout_s: float = OPEN_TIMEOUT_S) -> SandboxEngine | RemoteEngine:
    """Open a sandbox: in this process if nobody has its folder, else through the process that has it.

    Every call needs its own ``close()``.

    Raises:
        SandboxBusyError: another process has it and does not answer within ``timeout_s``.
    """
    if str(path) == MEMORY:
        return SandboxEngine.open(timeout_s=timeout_s)
    folder = Path(path).expanduser().resolve()
    deadline = time.monotonic() + timeout_s
    while True:
        if (found := _remote(folder)) is not None:
            return found
        try:
            return SandboxEngine.open(folder, timeout_s=0)
        except SandboxBusyError as failure:
            if time.monotonic() > deadline:
                raise SandboxBusyError(f"{failure} (waited {timeout_s:g} s)") from failure
            time.sleep(_POLL_S)


def _remote(folder: Path) -> RemoteEngine | None:
    if is_open_here(folder):
        return None
    from firnline_sandbox.server import endpoint

    if endpoint.read(folder) is None:
        return None
    from firnline_sandbox.server.remote import RemoteEngine

    return RemoteEngine.try_open(folder)


def connect(path: str | Path = MEMORY, **options: Any) -> SandboxConnection:
    """Open a connection that behaves like the Snowflake connector's.

    Args:
        path: the sandbox's folder, or ``":memory:"`` for a fresh one that is gone when it is closed.
        options: ``database``, ``schema``, ``role``, ``warehouse``, ``user``, ``paramstyle``, ``session_parameters``;
            ``timeout_s`` says how long to wait for another process that has the folder open and does not answer.

    Raises:
        SandboxBusyError: another process has the sandbox open and lets nobody else in.
        ProgrammingError: 2043, the database or schema does not exist.
    """
    timeouts = {"timeout_s": options.pop("timeout_s")} if "timeout_s" in options else {}
    engine = open_sandbox(path, **timeouts)
    try:
        return engine.connect(**options, owns_engine=True)
    except BaseException:
        engine.close()
        raise


def session(path: str | Path = MEMORY, **options: Any) -> Session:
    """Open a Snowpark session. Arguments as for :func:`connect`; closing the session closes its connection."""
    return snowpark_session(connect(path, **({"paramstyle": "qmark"} | options)))


def snowpark_session(connection: SandboxConnection) -> Session:
    """Put a Snowpark session on an open connection."""
    from snowflake.snowpark import Session

    made: Session = Session.builder.configs({"connection": connection}).create()
    return made
