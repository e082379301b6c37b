"""``features.attach``: encoders and the model that was trained behind them become one model of the raw columns."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import TYPE_CHECKING

from sklearn.pipeline import Pipeline

from firnline.domain import Grid, Report, Text
from firnline.errors import DataError
from firnline_snowpark.features.encoders import FittedEncoder, front

if TYPE_CHECKING:
    from firnline.domain import Model, Outputs, StepContext, Value
    from firnline_snowpark.features.attach_params import AttachParams


def run(context: StepContext, params: AttachParams, model: Model, encoder: Value) -> Outputs:  # noqa: ARG001 (has none)
    """Put the encoders in front of the model.

    Raises:
        DataError: the encoders are none, or the model has not learned from what they give.
    """
    fitted = encoder.load()
    if not isinstance(fitted, tuple) or not all(isinstance(part, FittedEncoder) for part in fitted):
        raise DataError(f"stage {context.stage}: `encoder` holds no encoders", hint="connect features.encode's output")
    made = {name for part in fitted for outputs in part.outputs for name in outputs}
    used = tuple(part for part in fitted if any(name in model.features for outputs in part.outputs for name in outputs))
    if not used:
        raise DataError(
            f"stage {context.stage}: the model learned from none of the encoded columns",
            hint="train it on features.encode's `train`",
        )
    others = [name for name in model.features if name not in made]
    pipeline = Pipeline([("encode", front(used, others)), ("model", model.load())])
    raw = tuple([column for part in used for column in part.columns] + others)
    path = context.directory / "model.pkl"
    with path.open("wb") as file:
        pickle.dump(pipeline, file, protocol=pickle.HIGHEST_PROTOCOL)
    rows = tuple((column, part.use) for part in used for column in part.columns)
    story = f"The model takes {len(raw):,} raw columns; {len(rows):,} of them are encoded on the way."
    grid = Grid(title="Encoded", columns=("column", "encoder"), rows=rows)
    return {
        "model": replace(model, path=path, features=raw),
        "report": Report(title="Model with its encoders", sections=(Text(body=story), grid)),
    }
