"""Params of ``register.model``. Light: imported while planning."""

from __future__ import annotations

from pydantic import Field

from firnline.domain import Params

IDENTIFIER = r"^[A-Za-z_][A-Za-z0-9_]*$"


class RegisterParams(Params):
    """Under which name the model goes into the registry."""

    name: str | None = Field(
        None,
        pattern=IDENTIFIER,
        description="Name of the model; default: the pipeline and the target.",
    )
    comment: str = Field("", max_length=1_000, description="A sentence for whoever finds the version in the registry.")
    alias: str | None = Field(
        "CANDIDATE",
        pattern=IDENTIFIER,
        description="A second name for the version; another version that has it loses it. A version that has another "
        "alias already (PRODUCTION, say) keeps that, for it can have one only. null: none.",
    )
    sample_rows: int = Field(
        50,
        ge=1,
        le=1_000,
        description="Rows of training data on which the registered version must predict what the model predicts; "
        "one of them is kept as an example of the input.",
    )
