"""Params of ``check.dbt`` and the state of the files it reads. Light: imported while planning."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from firnline.domain import Params, content_hash
from firnline_snowpark.project_files import project_file

if TYPE_CHECKING:
    from pathlib import Path

    from firnline.domain import SourceContext


class DbtParams(Params):
    """Where dbt left its results, and which of them stop the pipeline."""

    results: str = Field(
        "target/run_results.json",
        min_length=1,
        description="What `dbt test` or `dbt build` wrote; relative to the project folder.",
    )
    manifest: str | None = Field(
        None, min_length=1, description="dbt's manifest.json, for the names of models and columns; default: none."
    )
    stop_on: Literal["error", "warning", "never"] = Field(
        "error", description="error: what dbt calls failed stops; warning: its warnings do as well; never: only told."
    )
    skipped: Literal["stop", "allow"] = Field(
        "stop", description="Whether a test that dbt skipped, which says nothing of the data, stops like a failed one."
    )
    models: tuple[str, ...] = Field((), description="Look at the tests of these models only; needs the manifest.")
    max_age_hours: float | None = Field(
        None, gt=0, description="Refuse results that are older than this when the stage runs; default: of any age."
    )


def dbt_files(params: DbtParams, project: Path) -> tuple[Path, Path | None]:
    """Return the files of results and manifest.

    Raises:
        UsageError: one is not there.
    """
    results = project_file(params.results, project, what="dbt's run_results.json")
    if params.manifest is None:
        return results, None
    return results, project_file(params.manifest, project, what="dbt's manifest.json")


def dbt_state(params: DbtParams, context: SourceContext) -> str:
    """Return the hash of the files' content: another run of dbt is another check."""
    files = [file for file in dbt_files(params, context.project) if file is not None]
    return content_hash([hashlib.sha256(file.read_bytes()).hexdigest() for file in files])
