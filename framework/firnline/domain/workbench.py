"""What commands of plugins are handed: the project of the current folder, opened on demand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from firnline.domain.history import History
from firnline.domain.pipeline import Pipeline
from firnline.domain.platform import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenProject:
    """A project whose configuration was composed and checked.

    Attributes:
        pipeline: the checked pipeline.
        folder: the folder of records.
        history: earlier runs.
        open_platform: returns the platform, opened at first use; closed with the project.
    """

    pipeline: Pipeline
    folder: Path
    history: History
    open_platform: Callable[[], Platform] = field(repr=False)


class Workbench(Protocol):
    """The ``obj`` of the click context in which a plugin's command is called (``click.pass_obj``)."""

    def open(self, overrides: Sequence[str]) -> AbstractContextManager[OpenProject]:
        """Compose the current folder's configuration with overrides, check it, and open it. Raises as ``plan`` does."""
