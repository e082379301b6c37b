"""The generated pages for people who use Firnline: the command line and the configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import click
from pydantic import BaseModel

from firnline.cli.main import _VERBS, cli
from firnline.config import field_type
from firnline.config.settings import FIXED_NODES, RetryNode, StageNode
from firnline.domain import Port, StepSpec
from firnline_costguard.params import BudgetParams, CreditGuardParams
from firnline_mlflow.params import MlflowParams
from firnline_snowpark.experiments.params import ExperimentsParams

WIDTH = 100


def command_page(note: str) -> str:
    """Render the help of every verb and of its sub-commands."""
    parts = [f"{note}\n# The command line\n", _COMMANDS]
    context = click.Context(cli)
    for verb in _VERBS:
        command = cli.get_command(context, verb)
        assert command is not None
        parts += _command_parts(command, f"firnline {verb}")
    return "\n".join(parts)


def _command_parts(command: click.Command, name: str) -> Iterator[str]:
    context = click.Context(
        command, info_name=name, max_content_width=WIDTH, terminal_width=WIDTH, help_option_names=["-h", "--help"]
    )
    yield f"## `{name}`\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for sub in sorted(command.commands):
            yield from _command_parts(command.commands[sub], f"{name} {sub}")


def configuration_page(note: str) -> str:
    """Render the typed top-level nodes, and what a stage consists of."""
    stage = f"## A stage\n\n{_table(StageNode)}\n### `retry`\n\n{_table(RetryNode)}"
    parts = [f"{note}\n# Configuration\n", _NODES, stage, "## The other nodes\n"]
    for name, model in FIXED_NODES.items():
        parts.append(f"### `{name}`\n\n{_table(model) if model is not None else _FREE_NODES[name]}")
    parts.append(f"## Guard `credits`\n\n{_table(CreditGuardParams)}\n### `guard.budget`\n\n{_table(BudgetParams)}")
    parts.append(f"## Tracker `mlflow`\n\n{_table(MlflowParams)}")
    parts.append(f"## Tracker `experiments`\n\n{_table(ExperimentsParams)}")
    return "\n".join(parts)


def steps_page(note: str, plugins: Mapping[str, Sequence[StepSpec]]) -> str:
    """Render the steps of plugins: ports and params of each."""
    parts = [
        f"{note}\n# Built-in steps\n",
        "`firnline steps NAME` shows the same, and the option files that use a step.\n",
    ]
    for plugin, steps in plugins.items():
        parts.append(f"## Plugin `{plugin}`\n")
        parts += [_step(step) for step in sorted(steps, key=lambda step: step.id)]
    return "\n".join(parts)


def _step(step: StepSpec) -> str:
    ports = ["| port | kind | |", "|---|---|---|"]
    ports += [_port("in", name, port) for name, port in step.inputs.items()]
    ports += [_port("out", name, port) for name, port in step.outputs.items()]
    params = f"\n{_table(step.params)}" if step.params.model_fields else ""
    where = (
        "the platform" if step.platform else "a process of its own" if step.runs_in == "process" else "this computer"
    )
    return f"### `{step.id}`\n\n{step.summary} Runs on {where}.\n\n" + "\n".join(ports) + f"\n{params}"


def _port(direction: str, name: str, port: Port) -> str:
    notes = (", optional" if port.optional else "") + (", many" if port.many else "")
    return f"| {direction} `{name}` | {port.kind.__name__}{notes} | {port.description} |"


_COMMANDS = """\
Exit codes: 0 done, 1 a stage failed, 2 configuration or usage, 3 refused by a guard, 4 stopped by a gate,
130 interrupted ([all errors](errors.md)). A plugin may add commands; `firnline --help` lists them.
"""
_NODES = """\
Every top-level node with `uses` is a stage. The others are a fixed set; anything else is an error that names the
nearest one. `firnline schema` writes the same as a JSON Schema for editors.
"""
_FREE_NODES: Mapping[str, str] = {
    "platform": "`name`, by default `sandbox`; the other keys are params of that platform.\n",
    "guard": "`name`, such as `credits` (`+guard=credits`); the other keys are params of that guard.\n",
    "tracker": "Tracker → its params; several listen at once (`+tracker=mlflow`, `'+tracker=[mlflow,experiments]'`).\n",
    "data": "Free: stages refer to it by interpolation, as in `${data.target}`.\n",
}


def _table(model: type[BaseModel]) -> str:
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        default = "required" if field.is_required() else f"`{field.get_default(call_default_factory=True)}`"
        type_text = field_type(model, name).replace("|", "\\|")
        rows.append(f"| `{name}` | {type_text} | {default} | {field.description or ''} |")
    return "\n".join(rows) + "\n"
