"""Params of the tracker ``mlflow``. Light: imported while planning."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field, field_validator

from firnline.domain import Params


class MlflowParams(Params):
    """Where MLflow keeps what a run was."""

    tracking_uri: str | None = Field(
        None,
        min_length=1,
        description="An MLflow server (http://…) or a database (sqlite:///FILE, relative to the project). "
        "Default: MLFLOW_TRACKING_URI, or mlflow.db in the folder of records.",
    )
    experiment: str | None = Field(None, min_length=1, description="The experiment; by default the pipeline's name.")
    artifact_location: str | None = Field(
        None,
        description="Where a new experiment keeps its files. Default: beside a SQLite file, or as the server says.",
    )
    models: bool = Field(True, description="Keep the models, too; they are the largest part.")
    tags: dict[str, str] = Field(default_factory=dict, description="Further tags of the run.")
    timeout_s: int = Field(10, ge=1, le=600, description="Seconds that one answer of a server may take.")

    @field_validator("tracking_uri")
    @classmethod
    def _without_a_password(cls, uri: str | None) -> str | None:
        if uri is not None and urlsplit(uri).password is not None:
            raise ValueError("a password does not belong into a config; set MLFLOW_TRACKING_URI in the environment")
        return uri
