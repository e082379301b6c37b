"""Write the generated pages of docs/reference from the code. Run ``python -m checks.reference``; a test compares."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, Final

from checks.sandbox_reference import sandbox_page
from checks.usage_reference import command_page, configuration_page
from checks.usage_reference import steps_page as builtin_steps_page
from firnline import errors
from firnline.domain import (
    ARTIFACT_KINDS,
    Assessment,
    CreditEstimate,
    Guard,
    GuardContext,
    GuardedRun,
    GuardSpec,
    OpenProject,
    Params,
    Platform,
    PlatformSpec,
    Port,
    SourceContext,
    StepContext,
    StepSpec,
    TrackedRun,
    Tracker,
    TrackerSpec,
    Workbench,
    step,
)
from firnline.hooks import API_VERSION, specs
from firnline.testing import PLUGIN_CHECKS, RUN_CHECKS, STEP_CHECKS, Case, conformance
from firnline.testing.checks import PluginCheck, RunCheck, StepCheck
from firnline_evidently.plugin import STEPS as EVIDENTLY
from firnline_onnx.plugin import STEPS as ONNX
from firnline_snowpark.plugin import STEPS as SNOWPARK
from firnline_torch.plugin import STEPS as TORCH

FOLDER: Final = Path(__file__).resolve().parent.parent / "docs" / "reference"
NOTE: Final = "<!-- Written by `python -m checks.reference`; do not edit. -->\n"


def hooks_page() -> str:
    """Render the page about hooks: every hook with its exact arguments and its docstring."""
    parts = [f"{NOTE}\n# Hooks\n", HOOKS_INTRODUCTION, _paragraphs(specs)]
    for name, hook in vars(specs).items():
        if not hasattr(hook, "firnline_spec"):
            continue
        signature = str(inspect.signature(hook)).replace("'", "")
        heading = f"### `{name}({', '.join(inspect.signature(hook).parameters)})`"
        parts.append(f"{heading}\n\n```python\ndef {name}{signature}\n```\n\n{_paragraphs(hook)}")
    values = "`StepSpec`, `PlatformSpec`, `GuardSpec`, `TrackerSpec`: see [Steps, platforms and guards](steps.md)."
    parts.append(f"## What a registering hook returns\n\n{values}\n")
    return "\n".join(parts)


def steps_page() -> str:
    """Render the page about the values that a step's author meets."""
    introduction = "What the author of a step meets. Import all of it from `firnline.domain`.\n"
    decorator = f"### `step`\n\n{_paragraphs(step)}"
    kinds = (StepSpec, Port, StepContext, Params, SourceContext, PlatformSpec, Platform)
    guards = (GuardSpec, GuardContext, Guard, Assessment, CreditEstimate, GuardedRun, Workbench, OpenProject)
    trackers = (TrackerSpec, TrackedRun, Tracker)
    return "\n".join(
        [f"{NOTE}\n# Steps, platforms and guards\n", introduction, decorator, *map(_class, kinds + guards + trackers)]
    )


def errors_page() -> str:
    """Render the page about errors and exit codes."""
    rows = [
        "| class | exit code | meaning |\n|---|---|---|",
        *(
            f"| `{name}` | {error.exit_code} | {(inspect.getdoc(error) or '').splitlines()[0].replace('``', '`')} |"
            for name, error in vars(errors).items()
            if isinstance(error, type) and issubclass(error, errors.FirnlineError)
        ),
    ]
    return (
        f"{NOTE}\n# Errors and exit codes\n\n"
        "Whatever a user can cause is one of these, with a message that says what and where, and a hint.\n"
        "Exit code 0 means that everything is done.\n\n" + "\n".join(rows) + "\n"
    )


def artifacts_page() -> str:
    """Render the page about the kinds of artifacts that ports take and give."""
    parts = [f"{NOTE}\n# Artifacts\n", "What runs along the edges of a pipeline. Import them from `firnline.domain`.\n"]
    parts += [_class(kind) for kind in ARTIFACT_KINDS.values()]
    return "\n".join(parts)


HOOKS_INTRODUCTION: Final = f"""\
The contract between Firnline and its plugins, version {API_VERSION}. A plugin is a module or an object with some of
these functions, marked with `firnline.hooks.hookimpl` and named by an entry point of group `firnline.plugins`.
"""


def conformance_page() -> str:
    """Render the page about the conformance kit: every check and what it asks for."""
    parts = [f"{NOTE}\n# Conformance checks\n", CONFORMANCE_INTRODUCTION]
    groups: dict[str, Sequence[PluginCheck | StepCheck | RunCheck]] = {
        "Of a plugin": PLUGIN_CHECKS,
        "Of each step": STEP_CHECKS,
        "Of each step that has a case": RUN_CHECKS,
    }
    for title, checks in groups.items():
        rows = [f"| `{check.name}` | {(inspect.getdoc(check.run) or '').replace('``', '`')} |" for check in checks]
        parts.append("\n".join([f"## {title}\n", "| check | it has to |", "|---|---|", *rows]) + "\n")
    parts.append(_class(Case))
    parts.append(f"### `conformance`\n\n{_paragraphs(conformance)}")
    return "\n".join(parts)


CONFORMANCE_INTRODUCTION: Final = """\
The kit turns into tests what every plugin has to do right. It picks the checks by what a plugin and its steps declare.

```python
from firnline.testing import Case, conformance

test_conformance = conformance("my-plugin", cases={"my.step": Case(params={"limit": 3})})
```

A check that cannot pass is named in `expected_failures` with the reason, and then it has to fail: when it passes one
day, the test says so.
"""
PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "hooks.md": hooks_page,
    "errors.md": errors_page,
    "artifacts.md": artifacts_page,
    "steps.md": steps_page,
    "conformance.md": conformance_page,
    "built-in-steps.md": lambda: builtin_steps_page(
        NOTE, {"evidently": EVIDENTLY, "onnx": ONNX, "snowpark": SNOWPARK, "torch": TORCH}
    ),
    "command-line.md": lambda: command_page(NOTE),
    "configuration.md": lambda: configuration_page(NOTE),
    "sandbox.md": lambda: sandbox_page(NOTE),
}


def _class(kind: type) -> str:
    """Describe a class: its heading, its fields with types and defaults, its docstring, its public methods."""
    parts = [f"### `{kind.__name__}`\n"]
    if is_dataclass(kind):
        parts.append("```python\n" + "\n".join(_field_lines(kind)) + "\n```\n")
    parts.append(_paragraphs(kind))
    for name, member in vars(kind).items():
        function = member.fget if isinstance(member, property) else member
        if name.startswith("_") or not inspect.isfunction(function):
            continue
        arguments = [argument for argument in inspect.signature(function).parameters if argument != "self"]
        call = name if isinstance(member, property) else f"{name}({', '.join(arguments)})"
        parts.append(f"`{kind.__name__}.{call}`: {_paragraphs(function)}")
    return "\n".join(parts)


def _field_lines(kind: Any) -> Iterator[str]:
    for field in fields(kind):
        if field.default is not MISSING:
            yield f"{field.name}: {field.type} = {_default(field.default)}"
        elif field.default_factory is not MISSING:
            yield f"{field.name}: {field.type} = {_default(field.default_factory())}"
        else:
            yield f"{field.name}: {field.type}"


def _default(value: Any) -> str:
    if isinstance(value, type):
        return value.__name__
    return "…" if callable(value) else repr(value)  # a function's text holds its address


def _paragraphs(thing: Any) -> str:
    """Turn a docstring into Markdown: its Attributes and Raises sections become lists."""
    return "\n".join(_lines(inspect.getdoc(thing) or "")).rstrip() + "\n"


def _lines(text: str) -> Iterator[str]:
    in_section = False
    for line in re.sub(r":\w+:`", "`", text.replace("``", "`")).splitlines():
        if line in {"Attributes:", "Args:", "Raises:", "Returns:"}:
            in_section = True
            yield f"{line}\n"
        elif in_section and line.startswith("    ") and not line.startswith("     "):
            name, _, rest = line.strip().partition(": ")
            yield f"- `{name}`: {rest}"
        elif in_section and line.startswith("     "):
            yield f"  {line.strip()}"
        else:
            yield line


def main() -> int:
    """Write every page."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, render in PAGES.items():
        (FOLDER / name).write_text(render(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
