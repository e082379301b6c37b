"""Params of the tracker ``experiments``. Light: imported while planning."""

from __future__ import annotations

from pydantic import Field

from firnline.domain import Params
from firnline_snowpark.register.params import IDENTIFIER


class ExperimentsParams(Params):
    """Where in the account a run is told of: an experiment in the schema of the run's tables."""

    experiment: str | None = Field(
        None, pattern=IDENTIFIER, description="The experiment; by default the pipeline's name."
    )
    artifacts: bool = Field(True, description="Keep configuration, plan and environment with the run, too.")
