"""Finding experiments by the names that statements use, and the folders of their runs."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firnline_sandbox.errors import missing_object
from firnline_sandbox.experiments.objects import Experiment
from firnline_sandbox.statements.registry import engine_part

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from firnline_sandbox.context import Context
    from firnline_sandbox.engine import SandboxEngine
    from firnline_sandbox.experiments.objects import Run


def find_experiment(context: Context, parts: Sequence[str]) -> Experiment | None:
    """Find an experiment by a possibly partial name; None if there is none."""
    return context.catalog.find(Experiment, context.qualify(parts))


def experiment_for(context: Context, parts: Sequence[str]) -> Experiment:
    """Find an experiment by a possibly partial name.

    Raises:
        ProgrammingError: 2003, there is none.
    """
    found = find_experiment(context, parts)
    if found is None:
        raise missing_object("experiment", ".".join(context.qualify(parts)))
    return found


def run_folder(context: Context, run: Run) -> Path:
    """Return where a run's artifacts are; the first PUT makes the folder."""
    folder: Path = context.engine.part("experiments").root / run.id
    return folder


@dataclass(frozen=True, slots=True)
class ArtifactRoom:
    """The folder under which the artifacts of runs lie."""

    root: Path

    def close(self) -> None:
        """There is nothing open."""


@engine_part("experiments")
def open_room(engine: SandboxEngine) -> ArtifactRoom:
    """Sweep the folders that no run names, left by a process that was killed."""
    root = engine.folder / "experiments"
    root.mkdir(exist_ok=True)
    known = {run.id for entry in engine.catalog if isinstance(entry, Experiment) for run in entry.runs}
    for folder in root.iterdir():
        if folder.name not in known:
            shutil.rmtree(folder, ignore_errors=True)
    return ArtifactRoom(root)
