"""Snowpark sessions on the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from firnline_sandbox.engine import MEMORY, SandboxEngine

if TYPE_CHECKING:
    from pathlib import Path

    from snowflake.snowpark import Session

    from firnline_sandbox.connection import SandboxConnection


def connect(path: str | Path = MEMORY, **options: Any) -> SandboxConnection:
    """Open a connection that behaves like the Snowflake connector's.

    Args:
        path: the sandbox's folder, or ``":memory:"`` for a fresh one that is gone when it is closed.
        options: ``database``, ``schema``, ``role``, ``warehouse``, ``user``, ``paramstyle``, ``session_parameters``;
            ``timeout_s`` says how long to wait for another process that has the folder open.

    Raises:
        SandboxBusyError: another process has the sandbox open.
        ProgrammingError: 2043, the database or schema does not exist.
    """
    timeouts = {"timeout_s": options.pop("timeout_s")} if "timeout_s" in options else {}
    engine = SandboxEngine.open(path, **timeouts)
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
