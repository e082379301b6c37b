"""``firnline sandbox``: look into a sandbox from the shell."""

from __future__ import annotations

import click

from firnline.errors import PlatformError, UsageError

_PATH = click.option(
    "--path",
    default=".firnline/sandbox",
    show_default=True,
    type=click.Path(file_okay=False),
    help="The sandbox's folder.",
)


@click.group()
def sandbox() -> None:
    """Look into the embedded engine in which pipelines run without an account."""


@sandbox.command()
@click.argument("statements")
@_PATH
@click.option("--limit", default=100, show_default=True, type=click.IntRange(min=1), help="Show at most so many rows.")
def sql(statements: str, path: str, limit: int) -> None:
    """Run SQL statements (Snowflake's dialect), separated by semicolons, and show what they return."""
    from pathlib import Path

    from rich.console import Console

    from firnline_sandbox.shell import run_statements

    if not Path(path).is_dir():
        raise UsageError(
            f"there is no sandbox in {path}",
            hint="run a pipeline first (`firnline run`), or name the folder with --path",
        )
    from snowflake.connector.errors import Error

    try:
        run_statements(statements, path, limit, Console())
    except Error as error:
        raise PlatformError(str(error.msg or error), hint="docs/reference/sandbox.md lists what is supported") from error
