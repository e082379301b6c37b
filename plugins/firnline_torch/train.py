"""``train.torch``: export the rows, train outside of the platform, hand back an estimator."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from firnline.domain import Model
from firnline_torch.job import FACTS_FILE, RESULT_FILE, Job
from firnline_torch.report import training_report
from firnline_torch.roles import assign_roles
from firnline_torch.supervisor import is_exported, owned, supervise
from firnline_torch.unload import unload

if TYPE_CHECKING:
    from pathlib import Path

    from firnline.domain import Outputs, StepContext, Table, Value
    from firnline_torch.params import TorchParams
    from firnline_torch.roles import Roles


def run(
    context: StepContext,
    params: TorchParams,
    train: Table,
    valid: Table | None = None,
    profile: Value | None = None,
) -> Outputs:
    """Train a network; with validation rows, keep the epoch with the smallest validation loss.

    The exported rows and the checkpoints stand in a folder that is called after the stage's key: an attempt that
    follows one that was killed goes on in it.

    Raises:
        DataError: there is no target, no feature, no row to learn from, or the network cannot be made.
        TransientError: another run trains the same, or the trainer was lost too often.
    """
    roles = assign_roles(context, params, train, profile)
    folder = (context.project / params.work / context.key).resolve()
    with owned(folder) as token:
        if is_exported(folder):
            context.progress("the rows were exported by an earlier attempt")
        else:
            _export(context, params, roles, {"train": train, **({"valid": valid} if valid is not None else {})}, folder)
        context.progress("starting the trainer")
        supervise(context, folder, token, processes=params.processes, restarts=params.restarts)
        facts = json.loads((folder / FACTS_FILE).read_text("utf-8"))
        path = context.directory / "model.pkl"
        shutil.copy(folder / RESULT_FILE, path)
    outputs = _outputs(params, roles, path, facts)
    shutil.rmtree(folder)
    return outputs


def _export(context: StepContext, params: TorchParams, roles: Roles, tables: dict[str, Table], folder: Path) -> None:
    rows = unload(context, roles, tables, folder, limit=params.max_rows, seed=params.seed)
    Job(
        key=context.key,
        features=tuple(roles.kinds),
        texts=tuple(name for name, kind in roles.kinds.items() if kind == "text"),
        task=roles.target.task,
        classes=roles.target.classes,
        params=params.model_dump(mode="json"),
        has_validation=rows.get("valid", 0) > 0,
        project=str(context.project) if ":" in params.model else "",
    ).write(folder)


def _outputs(params: TorchParams, roles: Roles, path: Path, facts: dict[str, Any]) -> Outputs:
    target = roles.target
    model = Model(
        path=path,
        framework="torch",
        task=target.task,
        features=tuple(roles.kinds),
        target=target.name,
        classes=target.classes,
        params=params.model_dump(mode="json"),
    )
    return {"model": model, "report": training_report(params, roles, facts)}
