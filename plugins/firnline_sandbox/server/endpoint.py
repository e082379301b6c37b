"""Where the holder of a sandbox listens: a file in the folder that only its owner can read."""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from pathlib import Path

HOST: Final = "127.0.0.1"
NAME: Final = "server.json"

Kind = Literal["process", "automatic", "started"]
"""Who holds: a process for its own work, a server that processes started for each other, one that somebody started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """The holder's process, port and secret."""

    pid: int
    port: int
    token: str
    since: str
    kind: Kind = "process"

    def write(self, folder: Path) -> None:
        """Make the endpoint known, whole or not at all."""
        unfinished = folder / f"{NAME}.{uuid.uuid4().hex}"
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(self), file)
        unfinished.replace(folder / NAME)

    def withdraw(self, folder: Path) -> None:
        """Let nobody else find it; a later holder's file is left alone."""
        if read(folder) == self:
            (folder / NAME).unlink(missing_ok=True)


def read(folder: Path) -> Endpoint | None:
    """Find where the holder listens; None when nobody says so. It may be dead."""
    try:
        return Endpoint(**json.loads((folder / NAME).read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError):
        return None  # not ours, or of another version: nobody can be reached through it
