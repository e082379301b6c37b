"""The packages of this repository, found in its folders."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDERS: Final = (ROOT / "framework", ROOT / "plugins")


def packages() -> list[str]:
    """Return the names of the top-level packages that are there."""
    return sorted(path.parent.name for folder in FOLDERS for path in folder.glob("*/__init__.py"))


def modules() -> list[str]:
    """Return the names of all modules, without those that start the program when they are imported."""
    return sorted(name for folder in FOLDERS for name in _below(folder, "") if not name.endswith("__main__"))


def _below(folder: Path, prefix: str) -> Iterator[str]:
    for found in pkgutil.iter_modules([str(folder)], prefix):
        yield found.name
        if found.ispkg:
            yield from _below(folder / found.name.rpartition(".")[2], f"{found.name}.")
