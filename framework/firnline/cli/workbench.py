"""The project of the current folder, for commands of plugins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firnline.domain import OpenProject


class CurrentFolder:
    """Opens the project of the current folder; imports nothing before."""

    @contextmanager
    def open(self, overrides: Sequence[str]) -> Iterator[OpenProject]:
        """Compose, check and open it; closed at the end."""
        from firnline.app import opened_project
        from firnline.cli.job import installed
        from firnline.config import compose

        with opened_project(compose(Path.cwd(), overrides), installed()) as project:
            yield project
