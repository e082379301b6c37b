"""The list of checks: what each is called, and to what it applies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from firnline.domain import StepSpec
from firnline.testing import plugin_checks, run_checks, step_checks
from firnline.testing.cases import Case
from firnline.testing.rehearsal import Rehearsal
from firnline.testing.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginCheck:
    """A check of a plugin as a whole."""

    run: Callable[[Subject], None]

    @property
    def name(self) -> str:
        """The name in test reports and in ``expected_failures``."""
        return self.run.__name__


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCheck:
    """A check of one step.

    Attributes:
        run: the check.
        applies: whether a step has what it looks at.
        needs_modules: whether it imports what the step needs.
    """

    run: Callable[[Subject, StepSpec], None]
    applies: Callable[[StepSpec], bool] = lambda step: True
    needs_modules: bool = False

    @property
    def name(self) -> str:
        """The name in test reports and in ``expected_failures``."""
        return self.run.__name__


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCheck:
    """A check that runs a step on its case."""

    run: Callable[[Rehearsal, Case], None]
    applies: Callable[[StepSpec], bool] = lambda step: True

    @property
    def name(self) -> str:
        """The name in test reports and in ``expected_failures``."""
        return self.run.__name__


PLUGIN_CHECKS: Final = (
    PluginCheck(run=plugin_checks.plugin_loads),
    PluginCheck(run=plugin_checks.import_is_light),
    PluginCheck(run=plugin_checks.import_is_silent),
    PluginCheck(run=plugin_checks.steps_are_stable),
    PluginCheck(run=plugin_checks.options_fit_their_steps),
)
STEP_CHECKS: Final = (
    StepCheck(run=step_checks.id_has_an_area),
    StepCheck(run=step_checks.summary_is_present),
    StepCheck(run=step_checks.ports_are_declared),
    StepCheck(run=step_checks.params_are_documented),
    StepCheck(run=step_checks.params_are_strict),
    StepCheck(run=step_checks.params_survive_json),
    StepCheck(run=step_checks.function_takes_its_ports, needs_modules=True),
    StepCheck(run=step_checks.source_can_be_asked, applies=lambda step: step.source is not None, needs_modules=True),
    StepCheck(
        run=step_checks.process_step_can_be_sent, applies=lambda step: step.runs_in == "process", needs_modules=True
    ),
    StepCheck(run=step_checks.modules_come_with_an_extra, applies=lambda step: bool(step.modules)),
    StepCheck(run=step_checks.key_is_stable, applies=lambda step: step.reusable),
)
RUN_CHECKS: Final = (
    RunCheck(run=run_checks.outputs_match_ports),
    RunCheck(run=run_checks.outputs_survive_json),
    RunCheck(run=run_checks.same_inputs_give_same_metrics, applies=lambda step: step.reusable),
    RunCheck(run=run_checks.failure_leaves_nothing_visible),
    RunCheck(run=run_checks.step_can_be_cancelled),
    RunCheck(run=run_checks.source_state_is_stable, applies=lambda step: step.source is not None),
)
