"""What every trainer hands on: the model as an artifact, and a report on how it came about."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

from firnline.domain import Figure, Grid, Model, Report, Text

if TYPE_CHECKING:
    from firnline.domain import Outputs, StepContext
    from firnline_snowpark.train.params import TrainParams
    from firnline_snowpark.train.roles import Roles


def outcome(
    context: StepContext,
    pipeline: Any,
    roles: Roles,
    params: TrainParams,
    *,
    framework: str,
    rows: int,
    story: str,
    figures: tuple[Figure | Grid, ...] = (),
) -> Outputs:
    """Save the fitted pipeline and say what it learned from.

    Args:
        context: of the training stage.
        pipeline: the fitted scikit-learn pipeline; for classes it predicts their codes.
        roles: which columns it learned from.
        params: as the stage was configured.
        framework: import name of the estimator's library.
        rows: how many rows it was fitted on.
        story: one paragraph on the training.
        figures: plots and tables of the training.
    """
    path = context.directory / "model.pkl"
    with path.open("wb") as file:
        pickle.dump(pipeline, file, protocol=pickle.HIGHEST_PROTOCOL)
    task = roles.task
    model = Model(
        path=path,
        framework=framework,
        task=task.task,
        features=task.features,
        target=task.target,
        classes=task.classes,
        params=params.model_dump(mode="json"),
    )
    columns = (
        *((name, kind, "") for name, kind in roles.kinds.items()),
        *((name, "left out", why) for name, why in roles.left_out),
    )
    settings = tuple((name, _shown(value)) for name, value in params.model_dump().items())
    return {
        "model": model,
        "report": Report(
            title=f"Trained to predict {task.target}",
            sections=(
                Text(body=f"{rows:,} rows, {len(task.features)} features. {story}"),
                *figures,
                Grid(title="Columns", columns=("column", "kind", "note"), rows=columns),
                Grid(title="Settings", columns=("param", "value"), rows=settings),
            ),
        ),
    }


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value)
    return "" if value is None else str(value)
