"""Frozen values that the whole of Firnline, and every plugin, speaks of."""

from firnline.domain.artifact import (
    ARTIFACT_KINDS,
    Artifact,
    Figure,
    Files,
    Grid,
    Metrics,
    Model,
    Outputs,
    Port,
    RegisteredModel,
    Report,
    Section,
    Table,
    Task,
    Text,
    Value,
    artifact_from_json,
    artifact_to_json,
)
from firnline.domain.context import StepContext
from firnline.domain.event import Event, event_from_json, event_to_json
from firnline.domain.history import EarlierOutput, EarlierStage, History
from firnline.domain.ids import content_hash, new_attempt_id, new_run_id
from firnline.domain.params import Params
from firnline.domain.pipeline import Pipeline, Stage
from firnline.domain.plan import Estimate, Link, Plan, PlannedStage, Retry
from firnline.domain.platform import Platform, PlatformSpec
from firnline.domain.record import RunRecord, StageRecord, fold
from firnline.domain.step import SourceContext, StepSpec, load_callable, step

__all__ = [
    "ARTIFACT_KINDS",
    "Artifact",
    "EarlierOutput",
    "EarlierStage",
    "Estimate",
    "Event",
    "Figure",
    "Files",
    "Grid",
    "History",
    "Link",
    "Metrics",
    "Model",
    "Outputs",
    "Params",
    "Pipeline",
    "Plan",
    "PlannedStage",
    "Platform",
    "PlatformSpec",
    "Port",
    "RegisteredModel",
    "Report",
    "Retry",
    "RunRecord",
    "Section",
    "SourceContext",
    "Stage",
    "StageRecord",
    "StepContext",
    "StepSpec",
    "Table",
    "Task",
    "Text",
    "Value",
    "artifact_from_json",
    "artifact_to_json",
    "content_hash",
    "event_from_json",
    "event_to_json",
    "fold",
    "load_callable",
    "new_attempt_id",
    "new_run_id",
    "step",
]
