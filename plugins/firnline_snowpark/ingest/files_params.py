"""Params of ``ingest.files`` and the state of the file it reads. Light: imported while planning."""

from __future__ import annotations

import codecs
import difflib
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator

from firnline.domain import Params
from firnline.errors import UsageError

if TYPE_CHECKING:
    from firnline.domain import SourceContext

NULL_WORDS = ("NA", "N/A", "n/a", "#N/A", "NaN", "nan", "-nan", "NULL", "null", "None", "<NA>")


class FilesParams(Params):
    """Which file is loaded, and how its text is read."""

    path: str = Field(min_length=1, description="The CSV or Parquet file; relative to the project folder.")
    format: Literal["auto", "csv", "parquet"] = Field(
        "auto", description="auto: told by the file's name and first bytes."
    )
    encoding: str = Field("utf-8", description="The CSV file's text encoding, for example latin-1 or utf-16.")
    delimiter: str = Field("auto", description="What separates CSV fields; auto: comma, semicolon, tab or bar.")
    decimal: Literal[".", ","] = Field(".", description="The decimal separator of the CSV file's numbers.")
    null_words: tuple[str, ...] = Field(
        NULL_WORDS,
        description="Words that stand for a missing value in a CSV column of numbers, dates or flags. "
        "Blank fields are missing in every column.",
    )
    row_column: str = Field(
        "_ROW", min_length=1, description="The column added to hold each row's place in the file, from 1."
    )
    batch_rows: int = Field(100_000, ge=1_000, le=5_000_000, description="How many rows are in local memory at a time.")

    @field_validator("encoding")
    @classmethod
    def _known(cls, encoding: str) -> str:
        try:
            codecs.lookup(encoding)
        except LookupError:
            raise ValueError(f"{encoding!r} is no text encoding that Python knows") from None
        return encoding


def file_path(params: FilesParams, project: Path) -> Path:
    """Return the file's absolute path.

    Raises:
        UsageError: if there is no such file.
    """
    path = project / Path(params.path).expanduser()
    if path.is_file():
        return path
    if path.is_dir():
        raise UsageError(f"{path} is a folder, not a file", hint="name one CSV or Parquet file")
    if "://" in params.path:
        raise UsageError(f"{params.path} is an address, not a file", hint="download it first, or load it from a stage")
    siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    nearest = difflib.get_close_matches(path.name, siblings, n=1)
    hint = f"did you mean {path.parent / nearest[0]}?" if nearest else f"relative paths start at {project}"
    raise UsageError(f"there is no file {path}", hint=hint)


def file_state(params: FilesParams, context: SourceContext) -> str:
    """Return the hash of the file's content, so that a changed file is loaded again."""
    with file_path(params, context.project).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
