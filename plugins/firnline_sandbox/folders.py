"""Where a sandbox keeps what is not in its database."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from firnline_sandbox.catalog import Entry

_USER_STAGE = "user"


class SandboxFolders:
    """The folders below a sandbox's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def stages(self) -> Path:
        """The folder of stage files, one folder a stage, named by its id."""
        return self.folder / "stages"

    @property
    def models(self) -> Path:
        """The folder of model versions."""
        return self.folder / "models"

    @property
    def users(self) -> Path:
        """The folder of the other processes that use this sandbox."""
        return self.folder / "users"

    def stage_folder(self, entry: Entry) -> Path:
        """Give the folder of what a stage (or a table's own stage) holds."""
        return self.stages / entry.id

    def sweep(self, known: Collection[str]) -> None:
        """Make the folders, and remove those of stages that are gone: a kill may have left them."""
        self.stages.mkdir(exist_ok=True)
        self.models.mkdir(exist_ok=True)
        for folder in self.stages.iterdir():
            if folder.name not in known and folder.name != _USER_STAGE:
                shutil.rmtree(folder, ignore_errors=True)
