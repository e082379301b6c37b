"""The kit for plugin authors: conformance checks, a step context without a run, fakes. Needs pytest."""

from firnline.testing.cases import Case
from firnline.testing.checks import PLUGIN_CHECKS, RUN_CHECKS, STEP_CHECKS
from firnline.testing.context import step_context
from firnline.testing.fakes import FakePlatform, ManualClock, fake_platform_spec, unreachable_platform_spec
from firnline.testing.kit import conformance

__all__ = [
    "Case",
    "FakePlatform",
    "ManualClock",
    "PLUGIN_CHECKS",
    "RUN_CHECKS",
    "STEP_CHECKS",
    "conformance",
    "fake_platform_spec",
    "step_context",
    "unreachable_platform_spec",
]
