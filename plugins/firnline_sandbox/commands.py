"""``firnline sandbox``: look into a sandbox from the shell, and serve it to other programs."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from firnline.errors import PlatformError, UsageError

if TYPE_CHECKING:
    from firnline_sandbox.server.control import Status

_PATH = click.option(
    "--path",
    default=".firnline/sandbox",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The sandbox's folder.",
)


@click.group()
def sandbox() -> None:
    """Look into the embedded engine in which pipelines run without an account."""


@sandbox.command()
@click.argument("statements")
@_PATH
@click.option("--limit", default=100, show_default=True, type=click.IntRange(min=1), help="Show at most so many rows.")
def sql(statements: str, path: Path, limit: int) -> None:
    """Run SQL statements (Snowflake's dialect), separated by semicolons, and show what they return."""
    from rich.console import Console

    from firnline_sandbox.shell import run_statements

    _check_exists(path)
    from snowflake.connector.errors import Error

    try:
        run_statements(statements, str(path), limit, Console())
    except Error as error:
        raise PlatformError(
            str(error.msg or error), hint="docs/reference/sandbox.md lists what is supported"
        ) from error


@sandbox.command()
@_PATH
@click.option("--port", default=0, help="Listen on this port instead of a free one.", type=click.IntRange(0, 65535))
def start(path: Path, port: int) -> None:
    """Start a server for any client of Snowflake's; it stays until `firnline sandbox stop`."""
    from firnline_sandbox.server import control

    _show(path, control.start(path.resolve(), port=port))


@sandbox.command()
@_PATH
def status(path: Path) -> None:
    """Show who has the sandbox open, and how to connect to it."""
    from firnline_sandbox.server import control

    found = control.status(path.resolve())
    if found is None:
        click.echo(f"nobody has the sandbox in {path} open")
        return
    _show(path, found)


@sandbox.command()
@_PATH
def stop(path: Path) -> None:
    """End the server when it has finished what it is doing; committed data stays."""
    from firnline_sandbox.server import control

    ended = control.stop(path.resolve())
    click.echo(f"no server runs for {path}" if ended is None else f"server {ended.pid} has ended")


@sandbox.command()
@_PATH
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(path: Path, yes: bool) -> None:
    """Remove everything in a sandbox: tables, stages, models. Refused while somebody uses it."""
    from firnline_sandbox.reset import reset as remove_everything

    _check_exists(path)
    if not yes:
        click.confirm(f"Remove everything in the sandbox in {path}?", abort=True)
    remove_everything(path.resolve())
    click.echo(f"the sandbox in {path} is empty")


@sandbox.command()
@click.argument("folder", type=click.Path(path_type=Path))
@_PATH
def export(folder: Path, path: Path) -> None:
    """Write every table as Parquet, and the statements that make tables and views anew, to a new FOLDER."""
    from firnline_sandbox.export import export as write

    _check_exists(path)
    names = write(path, folder.resolve())
    click.echo(f"{len(names)} {'table' if len(names) == 1 else 'tables'} written to {folder}")


@sandbox.group()
def tasks() -> None:
    """Run the tasks of a sandbox."""


@tasks.command("run")
@_PATH
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]),
    help="Move the clock to this time (UTC) at once, running what is due on the way; else stay until interrupted.",
)
def run_tasks(path: Path, until: dt.datetime | None) -> None:
    """Run tasks as they become due, and print their runs."""
    from firnline_sandbox.locks import SandboxBusyError
    from firnline_sandbox.tasks.command import run

    _check_exists(path)
    moment = None if until is None else until.replace(tzinfo=dt.UTC)
    try:
        for line in run(path.resolve(), moment):
            click.echo(line)
    except SandboxBusyError as error:
        raise PlatformError(str(error), hint="whoever has the sandbox open runs its tasks as well") from error
    except ValueError as error:
        raise UsageError(f"--until: {error}", hint="name a time that is yet to come") from error


def _check_exists(path: Path) -> None:
    if not path.is_dir():
        raise UsageError(
            f"there is no sandbox in {path}",
            hint="run a pipeline first (`firnline run`), or name the folder with --path",
        )


def _show(path: Path, found: Status) -> None:
    known = found.endpoint
    kinds = {
        "process": "a process at work",
        "automatic": "a server that processes share",
        "started": "a server that was started by hand",
    }
    lines = {
        "folder": str(path.resolve()),
        "held by": f"{kinds[known.kind]}, pid {known.pid}, since {known.since}",
        "sessions": f"{found.sessions} of other processes",
        "connect": f"host=127.0.0.1 port={known.port} protocol=http account=sandbox user=ANY_NAME",
        "password": known.token,
    }
    for name, value in lines.items():
        click.echo(f"{name:9} {value}")
