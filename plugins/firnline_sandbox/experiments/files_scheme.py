"""``snow://experiment/db.schema.e/versions/run/path``: the artifacts of a run for PUT, LIST and GET."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firnline_sandbox.errors import missing_file
from firnline_sandbox.experiments.lookup import experiment_for, run_folder
from firnline_sandbox.statements.registry import file_scheme
from firnline_sandbox.statements.scanner import split_name

if TYPE_CHECKING:
    from pathlib import Path

    from firnline_sandbox.context import Context

PREFIX: Final = "snow://experiment/"


@file_scheme(PREFIX)
def resolve_artifact(context: Context, path: str, for_writing: bool) -> Path:
    """Find the file or folder that a path names; a folder that is to be written to is made.

    Raises:
        ProgrammingError: 2003, there is no such experiment or run; 253006, the path leads out of the run's folder.
    """
    name, _, rest = path[len(PREFIX) :].partition("/versions/")
    run_name, _, inside = rest.partition("/")
    run = experiment_for(context, split_name(name)).run(split_name(run_name)[-1])
    folder = run_folder(context, run)
    found = (folder / inside).resolve()
    if not found.is_relative_to(folder.resolve()):
        raise missing_file(path)
    if for_writing:
        found.mkdir(parents=True, exist_ok=True)
    return found
