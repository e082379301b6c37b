"""Params of ``promote.champion``, and the state of what it reads. Light: imported while planning."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

from pydantic import Field, field_validator, model_validator

from firnline.domain import Params
from firnline_snowpark.register.params import IDENTIFIER

if TYPE_CHECKING:
    from firnline.domain import SourceContext

PRODUCTION: Final = "PRODUCTION"
LONGEST_NOTE: Final = 500
MEASURES: Final = (
    "roc_auc",
    "average_precision",
    "log_loss",
    "brier",
    "accuracy",
    "f1",
    "precision",
    "recall",
    "f1_macro",
    "precision_macro",
    "recall_macro",
    "rmse",
    "mae",
    "r2",
)


class ChampionParams(Params):
    """When a version takes the place of the one that production uses."""

    alias: str = Field(PRODUCTION, pattern=IDENTIFIER, description="The alias that names the version in production.")
    metric: str | None = Field(
        None, description="What is compared; default: ROC AUC for two classes, log loss for several, RMSE for amounts."
    )
    margin: float = Field(0.0, ge=0, description="The candidate must be better by at least this much.")
    significance: float | None = Field(
        0.05,
        gt=0,
        lt=1,
        description="Largest share of paired resamples in which the candidate may fail to be better; "
        "null: the margin alone decides.",
    )
    resamples: int = Field(500, ge=50, le=5_000, description="Paired bootstrap resamples behind interval and p.")
    max_rows: int = Field(
        20_000, ge=50, le=200_000, description="Rows that are compared; of a larger table, a sample chosen by hash."
    )
    threshold: float = Field(
        0.5, gt=0, lt=1, description="Of two classes, the positive one is predicted from this probability on."
    )
    slices: tuple[str, ...] = Field((), description="Columns by whose values the rows are told apart.")
    slice_margin: float = Field(0.02, ge=0, description="No slice may get worse by more than this.")
    slice_rows: int = Field(50, ge=20, description="Slices with fewer rows decide nothing.")
    slice_values: int = Field(8, ge=2, le=50, description="Largest number of values looked at for a slice column.")
    force: bool = Field(False, description="Promote the candidate although it does not win; needs `note`.")
    note: str = Field("", max_length=LONGEST_NOTE, description="Why it is forced; kept with the version.")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of the sample and of the resamples.")

    @field_validator("metric")
    @classmethod
    def _known(cls, metric: str | None) -> str | None:
        if metric is None or metric in MEASURES:
            return metric
        nearest = difflib.get_close_matches(metric, MEASURES, n=1)
        raise ValueError(
            f"{metric!r} is none of {', '.join(MEASURES)}" + (f"; did you mean {nearest[0]!r}?" if nearest else "")
        )

    @model_validator(mode="after")
    def _forced_with_a_note(self) -> ChampionParams:
        if self.force and not self.note.strip():
            raise ValueError("force needs a note that says why: it is kept with the version")
        return self


def production_state(params: ChampionParams, context: SourceContext) -> str:
    """Return which versions of the schema's models have the alias: after somebody else's promotion all is decided anew.

    The model's name is not known before its pipeline has run, so those of all models count.
    """
    from firnline_snowpark.promote.versions import alias_holders

    platform = context.open_platform()
    session = platform.session("firnline plan")
    try:
        holders = alias_holders(session, platform.schema(), params.alias)
    finally:
        session.close()
    return ", ".join(f"{model}={version}" for model, version in sorted(holders.items()))
