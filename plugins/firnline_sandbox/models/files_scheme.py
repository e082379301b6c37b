"""``snow://model/db.schema.m/versions/v/path``: the files of a version for LIST and GET."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from firnline_sandbox.errors import missing_file, unsupported
from firnline_sandbox.models.lookup import model_for, room_of
from firnline_sandbox.statements.registry import file_scheme
from firnline_sandbox.statements.scanner import split_name

if TYPE_CHECKING:
    from pathlib import Path

    from firnline_sandbox.context import Context

PREFIX: Final = "snow://model/"


@file_scheme(PREFIX)
def resolve_model_file(context: Context, path: str, for_writing: bool) -> Path:
    """Find the file or folder that a path names.

    Raises:
        ProgrammingError: 2, a version's files do not change; 2003, there is no such model or version; 253006, no such
            file.
    """
    if for_writing:
        raise unsupported("writing files of a model version; log a new version")
    name, _, rest = path[len(PREFIX) :].partition("/versions/")
    version_name, _, inside = rest.partition("/")
    if not version_name:
        raise missing_file(path)
    model = model_for(context, split_name(unquote(name)))
    folder = room_of(context).files.folder(model.version(version_name).id)
    found = (folder / inside).resolve()
    if not found.is_relative_to(folder.resolve()) or not found.exists():
        raise missing_file(path)
    return found
