"""Load every installed plugin, call every hook, and print what came of it as one JSON value."""

from __future__ import annotations

import json
import sys

from firnline.domain import Plan
from firnline.domain.event import RunFinished
from firnline.errors import PluginError
from firnline.loading import Hooks, build_registry, find_commands, load_plugins


def main() -> None:
    """Print ``{"plugins": …, "steps": …, …}``; nothing else may reach standard output."""
    loaded = load_plugins()
    hooks = Hooks(loaded)
    registry = build_registry(loaded, hooks)
    event = RunFinished(at=0.0, run_id="r", status="finished", seconds=1.0)
    first, second = hooks.on_event("r", event), hooks.on_event("r", event)
    facts, silent = hooks.environment()
    guard = ""
    try:
        hooks.check_plan(Plan(pipeline="p", platform="none", platform_params={}, workers=1, stages=()))
    except PluginError as error:
        guard = str(error)
    survey = {
        "plugins": {
            f"{report.label}/{report.name}": {
                "healthy": report.healthy,
                "reason": report.reason,
                "output": report.output,
            }
            for report in registry.plugins
        },
        "steps": sorted(registry.steps),
        "commands": sorted(find_commands()),
        "clashes": [clash.message for clash in registry.clashes],
        "observers": [[failure.plugin.label for failure in first], [failure.plugin.label for failure in second]],
        "environment": facts,
        "silent": [f"{failure.plugin.label}: {failure.message}" for failure in silent],
        "guard": guard,
    }
    json.dump(survey, sys.stdout)


if __name__ == "__main__":
    main()
