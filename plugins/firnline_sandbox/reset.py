"""Emptying a sandbox's folder."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from firnline.errors import UsageError
from firnline_sandbox.locks import FolderLock, SandboxBusyError
from firnline_sandbox.server.presence import living

if TYPE_CHECKING:
    from pathlib import Path

_LOCK: Final = "lock"


def reset(folder: Path) -> None:
    """Remove a sandbox's data.

    Raises:
        UsageError: the folder is no sandbox, or somebody uses it.
    """
    if not ((folder / "identity").is_file() and (folder / "sandbox.duckdb").is_file()):
        raise UsageError(f"{folder} is no sandbox's folder", hint="name the folder with --path")
    lock = FolderLock(folder / _LOCK)
    try:
        lock.acquire(0)
    except SandboxBusyError as busy:
        raise UsageError(
            f"the sandbox in {folder} is in use", hint="`firnline sandbox status` shows by whom, `stop` ends a server"
        ) from busy
    try:
        if living(folder / "users"):
            raise UsageError(
                f"the sandbox in {folder} is used by other processes", hint="wait until they have finished"
            )
        for path in folder.iterdir():
            if path.name == _LOCK:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    finally:
        lock.release()
