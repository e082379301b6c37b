"""Checks of a plugin as a whole. Each one raises an AssertionError that says what to change."""

from __future__ import annotations

from typing import Any

import yaml

from firnline.domain import StepSpec
from firnline.testing.probe import probe_import
from firnline.testing.subject import Subject


def plugin_loads(subject: Subject) -> None:
    """Load as Firnline loads it, with hooks that exist and fit the plugin API."""
    report = subject.report
    assert report.healthy, f"{report.label}: {report.reason}\n{report.details}"


def import_is_light(subject: Subject) -> None:
    """Import no SDK: every `firnline` command loads every plugin, SDKs are imported by steps at first use."""
    needed = frozenset(module for step in subject.steps.values() for module in step.modules)
    found = probe_import(subject.module, needed)
    assert not found.error, f"importing {subject.module} failed:\n{found.error}"
    assert not found.heavy, (
        f"importing {subject.module} imports {', '.join(found.heavy)}: move the import into the step's function, "
        'or name the function as run="module:function"'
    )


def import_is_silent(subject: Subject) -> None:
    """Print nothing when it is imported: standard output belongs to commands such as `firnline run --json`."""
    printed = probe_import(subject.module).printed
    assert not printed, f"importing {subject.module} prints {printed!r}"


def steps_are_stable(subject: Subject) -> None:
    """Offer the same steps each time it is asked."""
    from firnline.loading import FoundEntry, Hooks, Selection, load_plugins

    entry = FoundEntry(name=subject.plugin, value=subject.module, distribution="again", version="0")
    hooks = Hooks(load_plugins(entries=[entry], selection=Selection()))
    first, second = ([step.id for _, step in hooks.steps()[0]] for _ in range(2))
    assert first == second, f"first {first}, then {second}"


def options_fit_their_steps(subject: Subject) -> None:
    """Bring config options whose `uses`, `inputs` and `params` are those of its own steps."""
    wrong = []
    for folder in subject.conf:
        for file in sorted(folder.rglob("*.yaml")):
            data = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
            step = subject.steps.get(str(data.get("uses")))
            where = file.relative_to(folder).as_posix()
            if step is not None:
                wrong += [f"{where}: {message}" for message in _misfits(data, step)]
            elif "uses" in data:
                wrong.append(f"{where}: the plugin offers no step {data['uses']!r}")
    assert not wrong, "\n".join(wrong)


def _misfits(data: dict[str, Any], step: StepSpec) -> list[str]:
    unknown_inputs = sorted(set(data.get("inputs") or {}) - set(step.inputs))
    unknown_params = sorted(set(data.get("params") or {}) - set(step.params.model_fields))
    return [f"step {step.id} has no input {name!r}" for name in unknown_inputs] + [
        f"step {step.id} has no param {name!r}" for name in unknown_params
    ]
