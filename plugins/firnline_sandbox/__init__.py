"""An embedded Snowflake-compatible engine: real Snowpark and Snowflake ML clients, no account, data in a local folder.

::

    import firnline_sandbox

    session = firnline_sandbox.session()                 # a Snowpark session in memory
    connection = firnline_sandbox.connect("my/folder")   # a connection like the Snowflake connector's
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from firnline_sandbox.engine import SandboxEngine
    from firnline_sandbox.sessions import connect, session

__all__ = ["SandboxEngine", "connect", "session"]

_HOMES: Final = {"SandboxEngine": "engine", "connect": "sessions", "session": "sessions"}


def __getattr__(name: str) -> Any:
    """Import what is asked for: the plugin's description is in this package, and reading it must not load DuckDB."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
