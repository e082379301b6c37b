"""The typed top-level nodes of a configuration; every other node must be a stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from firnline.domain import Params


class PipelineNode(Params):
    """``pipeline``: what the pipeline is called."""

    name: str | None = Field(None, description="shown in runs and reports; by default the chosen option of `pipeline`")
    description: str | None = Field(None, description="one sentence for reports")


class ExecutorNode(Params):
    """``executor``: where and how many stages run at once."""

    name: Literal["local"] = Field("local", description="the executor; local runs stages in threads and processes")
    workers: int = Field(4, ge=1, le=256, description="stages that may run at once")


class StoreNode(Params):
    """``store``: where records and artifacts are kept."""

    path: str = Field(".firnline", description="folder, relative to the project")


class SweepNode(Params):
    """``sweep``: by what the jobs of a multirun are ranked, and what follows when jobs fail."""

    metric: str | list[str] | None = Field(
        None, description="STAGE.METRIC, for example evaluate.roc_auc; several for a search with several objectives"
    )
    direction: Literal["maximize", "minimize"] | list[Literal["maximize", "minimize"]] = Field(
        "maximize", description="which end is best; one for each metric"
    )
    on_failure: Literal["continue", "stop"] = Field(
        "continue", description="stop: no further job starts when one failed"
    )
    max_failures: int | None = Field(None, ge=1, description="no further job starts when so many failed")


class ProfileNode(Params):
    """``profile``: the name of the set of overrides that is in force."""

    name: str | None = Field(None, description="for example dev or prod")


class RetryNode(Params):
    """``retry`` of a stage: tries on transient errors."""

    attempts: int = Field(1, ge=1, le=20, description="tries in all")
    backoff_s: float = Field(1.0, ge=0, le=3600, description="seconds before the second try, doubled for each further")


class StageNode(Params):
    """A stage: a top-level node with ``uses``."""

    uses: str = Field(description="the step's id, for example train.xgboost")
    inputs: dict[str, Annotated[str | list[str], Field()]] = Field(
        default_factory=dict, description="input port → STAGE.PORT, STAGE, or a list of them"
    )
    params: dict[str, Any] = Field(default_factory=dict, description="checked by the step's own params model")
    resources: dict[str, Any] = Field(default_factory=dict, description="what the platform must offer, e.g. gpu: 1")
    retry: RetryNode = Field(default_factory=RetryNode, description="what to do on transient errors")
    timeout_s: float | None = Field(None, gt=0, description="seconds that one attempt may take")


# The group of option files that fix choices of other groups; each belongs to the whole configuration.
EXPERIMENT: Final = "experiment"

FIXED_NODES: Final[Mapping[str, type[Params] | None]] = {
    "pipeline": PipelineNode,
    "platform": None,  # checked by the platform's own params model
    "profile": ProfileNode,
    "executor": ExecutorNode,
    "guard": None,  # checked by the guard's own params model
    "tracker": None,
    "store": StoreNode,
    "data": None,  # free: stages refer to it by interpolation
    "sweep": SweepNode,
}
