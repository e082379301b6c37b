"""Files of the project that a config names. Light: used while planning."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from firnline.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def project_file(written: str, project: Path, *, what: str) -> Path:
    """Return the absolute path of a file.

    Args:
        written: as it stands in the config; relative paths start at the project folder.
        project: the project folder.
        what: what is expected there, for the error.

    Raises:
        UsageError: there is no such file; the nearest is named.
    """
    path = project / written
    if path.is_file():
        return path
    if path.is_dir():
        raise UsageError(f"{path} is a folder, not {what}", hint="name the file itself")
    siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    nearest = difflib.get_close_matches(path.name, siblings, n=1)
    hint = f"did you mean {path.parent / nearest[0]}?" if nearest else f"relative paths start at {project}"
    raise UsageError(f"there is no file {path}", hint=hint)
