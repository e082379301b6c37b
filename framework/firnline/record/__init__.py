"""What is remembered: the store, questions about runs, lineage, and the pages that show them."""

from firnline.record.claims import KeyClaims
from firnline.record.environment import describe_environment
from firnline.record.liveness import RunLock, is_alive
from firnline.record.past import Past
from firnline.record.recorder import Recorder
from firnline.record.runs import (
    Lineage,
    LineageNode,
    describe_artifact,
    find_run,
    lineage,
    list_runs,
    load_environment,
    load_plan,
    load_run,
)
from firnline.record.store import Leftover, Store
from firnline.record.trackers import Trackers

__all__ = [
    "KeyClaims",
    "Leftover",
    "Lineage",
    "LineageNode",
    "Past",
    "Recorder",
    "RunLock",
    "Store",
    "Trackers",
    "describe_artifact",
    "describe_environment",
    "find_run",
    "is_alive",
    "lineage",
    "list_runs",
    "load_environment",
    "load_plan",
    "load_run",
]
