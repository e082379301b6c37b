"""Build a step context without a run around it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from firnline.domain import StepContext, content_hash, new_attempt_id

if TYPE_CHECKING:
    from snowflake.snowpark import Session


def step_context(
    folder: Path,
    *,
    stage: str = "stage",
    schema: str = "",
    session: Callable[[], Session] | None = None,
    input_keys: Mapping[str, str] | None = None,
    report: Callable[[str, int | None], None] | None = None,
    is_cancelled: Callable[[], bool] | None = None,
) -> StepContext:
    """Return the context of one attempt in a folder, for tests of steps.

    Args:
        folder: gets two sub-folders, ``project`` and one for the attempt's output files.
        stage: the stage's name.
        schema: where the platform keeps tables.
        session: opens the Snowpark session; without it the step has none.
        input_keys: port → key of the stage that made the input.
        report: gets the step's progress.
        is_cancelled: tells the step to stop.
    """
    attempt = new_attempt_id()
    directory, project = folder / f"attempt-{attempt}", folder / "project"
    directory.mkdir(parents=True)
    project.mkdir(exist_ok=True)
    return StepContext(
        stage=stage,
        run_id="test-run",
        pipeline="test",
        key=content_hash([stage, attempt])[:32],
        input_keys=dict(input_keys or {}),
        attempt=attempt,
        directory=directory,
        project=project,
        schema=schema,
        logger=logging.getLogger(f"firnline.testing.{stage}"),
        open_session=session if session is not None else _no_session,
        report=report if report is not None else _ignore,
        is_cancelled=is_cancelled if is_cancelled is not None else _never,
    )


def _no_session() -> Session:
    raise RuntimeError(
        "this step context has no session: give `session` to step_context, or `platform=True` to the step"
    )


def _ignore(message: str, rows: int | None) -> None:
    pass


def _never() -> bool:
    return False
