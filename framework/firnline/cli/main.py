"""The ``firnline`` command. Each verb is imported when it is called, so that ``--help`` stays quick."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, Final

import click

from firnline import __version__
from firnline.cli.leaving import Leaving
from firnline.cli.workbench import CurrentFolder
from firnline.errors import ConfigError, FirnlineError, PluginError, Problem, RefusedError, UsageError
from firnline.loading.discovery import FoundEntry, find_commands

# verb → (module:object, one line for --help). The lines stand here so that help imports no verb.
_VERBS: Final[dict[str, tuple[str, str]]] = {
    "run": ("firnline.cli.run:run", "Run a pipeline; with -m, many of them."),
    "plan": ("firnline.cli.plan:plan", "Show what a run would do, and why."),
    "runs": ("firnline.cli.runs:runs", "List, show, compare, resume and save runs."),
    "sweep": ("firnline.cli.sweeps:sweep", "List, show and resume multiruns."),
    "lineage": ("firnline.cli.lineage:lineage", "Show what an artifact was made from, and what from it."),
    "steps": ("firnline.cli.installed:steps", "Show the steps that installed plugins offer."),
    "plugins": ("firnline.cli.installed:plugins", "Show the installed plugins and whether they are healthy."),
    "schema": ("firnline.cli.schema:schema", "Write a JSON Schema of the configuration, for editors."),
    "init": ("firnline.cli.project:init", "Start a project in the current folder."),
    "new-plugin": ("firnline.cli.project:new_plugin", "Start a distribution with a plugin of your own."),
}

# The disk is full, a quota is used up, or the folder may not be written to.
_UNWRITABLE: Final = frozenset({errno.EACCES, errno.EDQUOT, errno.EFBIG, errno.ENOSPC, errno.EPERM, errno.EROFS})


class _Verbs(click.Group):
    """Our verbs, imported at need, then those of plugins."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return [*_VERBS, *_plugin_commands()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (as above)
        if cmd_name in _VERBS:
            return _load(_VERBS[cmd_name][0])
        entries = _plugin_commands().get(cmd_name)
        return _load_plugin_command(cmd_name, entries) if entries is not None else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from firnline.config.names import nearest

            near = nearest(args[0], self.list_commands(ctx))
            raise click.UsageError(error.message + (f" Did you mean {near!r}?" if near else ""), ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 (as above)
        from_plugins = _plugin_commands()
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry[1]) for name, entry in _VERBS.items()])
        if from_plugins:
            with formatter.section("Commands of plugins"):
                formatter.write_dl([(verb, f"from {entries[0].label}") for verb, entries in from_plugins.items()])


def _load(reference: str) -> click.Command:
    module, _, name = reference.partition(":")
    command: click.Command = getattr(importlib.import_module(module), name)
    return command


def _plugin_commands() -> dict[str, tuple[FoundEntry, ...]]:
    """Return the verbs of plugins, from metadata alone; our own verbs cannot be taken."""
    return {verb: entries for verb, entries in sorted(find_commands().items()) if verb not in _VERBS}


def _load_plugin_command(verb: str, entries: tuple[FoundEntry, ...]) -> click.Command:
    """Import a plugin's command.

    Raises:
        PluginError: two distributions bring it, or it cannot be imported.
    """
    if len(entries) > 1:
        raise PluginError(
            f"the command {verb!r} is brought by {' and by '.join(entry.label for entry in entries)}",
            hint=f"deny one of them: FIRNLINE_PLUGINS_DENY={entries[-1].distribution}",
        )
    try:
        command = _load(entries[0].value)
    except Exception as error:
        raise PluginError(
            f"the command {verb!r} of {entries[0].label} cannot be imported: {type(error).__name__}: {error}",
            hint="`firnline plugins` shows what is broken",
        ) from error
    if not isinstance(command, click.Command):
        raise PluginError(f"the command {verb!r} of {entries[0].label} is a {type(command).__name__}, no click command")
    return command


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="firnline")
def cli() -> None:
    """Firnline: pipelines from config files, steps from plugins, on Snowflake or on your laptop."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    if arguments is not None:
        sys.exit(run_command(list(arguments)))
    leaving = Leaving()
    leaving.code = run_command(sys.argv[1:])
    sys.exit(leaving.code)


def run_command(typed: list[str]) -> int:
    """Run the command line; return the exit code. Every error that a user can cause is shown, not traced.

    ``-sc query=bash`` without a verb is what the shell's completion calls.
    """
    if typed[:1] == ["-sc"]:
        line = os.environ.get("COMP_LINE", "")
        if typed[1:2] and typed[1].startswith("query=") and not _completes_overrides(line):
            click.echo("\n".join(_verbs_for(line)))
            return 0
        typed = ["run", *typed]
        os.environ["COMP_LINE"] = _without_verb(line)
    try:
        code = cli.main(args=typed, prog_name="firnline", standalone_mode=False, obj=CurrentFolder())
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.Abort:
        return 130
    except click.ClickException as error:
        error.show()
        return 2
    except FirnlineError as error:
        _show(error, json_lines="--json" in typed)
        return error.exit_code
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        told = UsageError(
            f"{error.filename or 'a file'} cannot be written: {error.strerror}",
            hint="free space or give rights; what has finished is kept, and the next run goes on from there",
        )
        _show(told, json_lines="--json" in typed)
        return told.exit_code
    except SystemExit as leaving:  # Hydra's argument parser has said what was wrong, or its version
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        return 130
    return code if isinstance(code, int) else 0


def _show(error: FirnlineError, *, json_lines: bool) -> None:
    if json_lines:
        import json
        from dataclasses import asdict

        problems: tuple[Problem, ...] = error.problems if isinstance(error, ConfigError) else ()
        body: dict[str, Any] = {"error": type(error).__name__, "message": error.message, "hint": error.hint}
        click.echo(json.dumps(body | {"problems": [asdict(problem) for problem in problems]}))
        return
    from rich.console import Console

    from firnline.cli.render.problems import render_error

    console = Console(stderr=True)
    if isinstance(error, RefusedError) and error.plan is not None:
        from firnline.cli.render.plan import render_plan

        console.print(render_plan(error.plan, graph=False))
    console.print(render_error(error))


def _completes_overrides(line: str) -> bool:
    words = line.split()
    return len(words) > 1 and words[1] in {"run", "plan"} and (len(words) > 2 or line.endswith(" "))


def _verbs_for(line: str) -> list[str]:
    """Return the verbs that fit the second word of a command line; nothing after a verb that takes no overrides."""
    words = line.split()
    if len(words) > 2 or (len(words) == 2 and line.endswith(" ")):
        return []
    return [verb for verb in (*_VERBS, *_plugin_commands()) if verb.startswith(words[1] if len(words) == 2 else "")]


def _without_verb(line: str) -> str:
    """Take the verb out of ``firnline run train=…``, since Hydra completes overrides only."""
    name, _, rest = line.partition(" ")
    verb, _, overrides = rest.lstrip().partition(" ")
    return f"{name} {overrides}" if verb in {"run", "plan"} else line
