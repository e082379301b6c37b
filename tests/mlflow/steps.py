"""Two steps that give what a tracker tells of: numbers, files, a model."""

from __future__ import annotations

import pickle

from pydantic import Field
from sklearn.linear_model import Ridge

from firnline.domain import Files, Metrics, Model, Params, Port, RegisteredModel, StepContext, StepSpec
from firnline.hooks import hookimpl


class FitParams(Params):
    """Params of tracked.fit."""

    alpha: float = Field(1.0, description="of the ridge")
    options: dict[str, int] = Field(default_factory=dict, description="nested")


def fit(context: StepContext, params: FitParams) -> dict[str, object]:
    path = context.directory / "model.pkl"
    path.write_bytes(pickle.dumps(Ridge(alpha=params.alpha).fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0])))
    folder = context.directory / "plots"
    folder.mkdir()
    (folder / "curve.txt").write_text("up")
    return {
        "model": Model(path=path, framework="sklearn", task="regression", features=("X",), target="Y"),
        "files": Files(path=folder),
        "metrics": Metrics(values={"loss": 0.25, "rows@most": 3.0, "undefined": float("nan")}),
        "registered": RegisteredModel(name="DB.S.RIDGE", version="V_1"),
    }


FIT = StepSpec(
    id="tracked.fit",
    run=fit,
    summary="Fit a small model.",
    params=FitParams,
    outputs={
        "model": Port(kind=Model),
        "files": Port(kind=Files),
        "metrics": Port(kind=Metrics),
        "registered": Port(kind=RegisteredModel),
    },
)


@hookimpl
def firnline_steps() -> list[StepSpec]:
    return [FIT]
