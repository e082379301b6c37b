"""Params of ``ingest.stage`` and the state of the files it reads. Light: imported while planning."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias

from pydantic import Field, StringConstraints, model_validator

from firnline.domain import Params, content_hash
from firnline.errors import UsageError
from firnline_snowpark.ingest.table_params import NAME
from firnline_snowpark.literals import literal

if TYPE_CHECKING:
    from pathlib import Path

    from firnline.domain import SourceContext

STAGE: Final = re.compile(r'@[~%\w."$][\w."$/%=:+-]*')
URLS: Final = ("s3://", "s3gov://", "azure://", "gcs://")
Option: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]+$")]
ColumnSql: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]+( ?\(\d+(, ?\d+)?\))?$")]


class StageParams(Params):
    """Which files are loaded by COPY INTO, and what becomes of rows that do not fit."""

    location: str = Field(
        min_length=1,
        description="@STAGE/path, an s3://, azure:// or gcs:// address, or files of the project (*.json).",
    )
    pattern: str | None = Field(
        None, min_length=1, description="A regular expression that the files' paths must match."
    )
    integration: str | None = Field(
        None, pattern=NAME, description="The storage integration that may read the address, if it is not public."
    )
    format: Literal["csv", "json", "parquet"] = Field(description="What the files are.")
    options: dict[Option, bool | int | str | tuple[str, ...]] = Field(
        default_factory=dict, description="Further options of Snowflake's file format, e.g. FIELD_DELIMITER or NULL_IF."
    )
    columns: dict[str, ColumnSql] | None = Field(
        None, min_length=1, description="Column → type, found in the files by name; default: inferred from the files."
    )
    on_error: Literal["abort", "continue", "skip_file"] = Field(
        "abort", description="continue: leave out rows that do not fit; skip_file: leave out files with such rows."
    )
    max_rejected: float = Field(
        0.01, ge=0, le=1, description="With continue: largest share of rows that may be left out; more stops."
    )
    into: str | None = Field(
        None,
        pattern=NAME,
        description="A table that is kept and gets the stage's new files only: a file is loaded into it once.",
    )

    @model_validator(mode="after")
    def _fits_together(self) -> StageParams:
        if self.into is not None and not self.location.startswith("@"):
            raise ValueError("into needs a named stage as location: by its paths the platform knows what is loaded")
        if self.location.startswith("@") and not STAGE.fullmatch(self.location):
            raise ValueError(
                f"{self.location} is no stage and path as SQL writes it without quotes around: @STAGE/path"
            )
        if self.integration is not None and not self.location.startswith(URLS):
            raise ValueError("integration goes with an s3://, azure:// or gcs:// address")
        if "://" in self.location and not self.location.startswith(URLS):
            raise ValueError(f"{self.location} is no address that a stage can have: {', '.join(URLS)}")
        return self

    @property
    def is_local(self) -> bool:
        """Whether the files are on this computer."""
        return not self.location.startswith(("@", *URLS))

    def format_sql(self) -> str:
        """Return the options of the file format."""
        own: dict[str, str] = {"csv": "PARSE_HEADER = TRUE", "json": "STRIP_OUTER_ARRAY = TRUE"}
        parts = [f"TYPE = {self.format.upper()}", *([own[self.format]] if self.format in own else [])]
        return " ".join([*parts, *(f"{name.upper()} = {_value(value)}" for name, value in self.options.items())])


def _value(value: bool | int | str | tuple[str, ...]) -> str:
    return f"({', '.join(map(literal, value))})" if isinstance(value, tuple) else literal(value)


def local_files(params: StageParams, project: Path) -> list[Path]:
    """Return the files of the project that the location names, in order.

    Raises:
        UsageError: there is none.
    """
    found = sorted(path for path in project.glob(params.location) if path.is_file())
    if not found:
        raise UsageError(f"no file is called {params.location} in {project}", hint="* stands for any part of a name")
    return found


def files_state(params: StageParams, context: SourceContext) -> str:
    """Return a hash over names and content of the files, as the stage lists them."""
    if params.is_local:
        files = local_files(params, context.project)
        return content_hash([[file.name, hashlib.sha256(file.read_bytes()).hexdigest()] for file in files])
    from firnline_snowpark.ingest.stage_listing import listed

    session = context.open_platform().session("firnline plan")
    try:
        return content_hash(listed(session, params.location, params.pattern, params.integration))
    finally:
        session.close()
