"""``firnline models``: the versions in the Model Registry, and which of them production uses."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from firnline.errors import PlatformError, UsageError
from firnline_snowpark.promote.params import LONGEST_NOTE, PRODUCTION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firnline.domain import Workbench
    from firnline_snowpark.promote.shelf import Shelf

_EPILOG: Final = "OVERRIDES are as for `firnline run`: they choose the platform."
_json = click.option("--json", "as_json", is_flag=True, help="Write JSON Lines.")
_alias = click.option("--alias", default=PRODUCTION, show_default=True, help="The alias.")


def _place(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what says in which platform the registry is."""
    for add in (
        click.argument("overrides", nargs=-1, type=click.UNPROCESSED),
        click.option("--connection", metavar="NAME", help="In the account of this connection."),
        click.option("--sandbox", type=click.Path(path_type=Path), help="In the sandbox in this folder."),
    ):
        command = add(command)
    return click.pass_obj(command)


@click.group()
def models() -> None:
    """List and show registered models; say which version production uses."""


@models.command("list", epilog=_EPILOG)
@_json
@_place
def list_models(workbench: Workbench, *, as_json: bool, **place: Any) -> None:
    """List the versions of all models, newest first."""
    from rich.console import Console

    from firnline_snowpark.promote.rendering import render_versions, version_line

    with _shelf(workbench, **place) as shelf:
        versions = [version for name in shelf.names() for version in reversed(shelf.versions(name))]
    if as_json:
        for version in versions:
            click.echo(json.dumps(version_line(version)))
        return
    Console().print(render_versions(versions))


@models.command(epilog=_EPILOG)
@click.argument("name", metavar="NAME[/VERSION]")
@_json
@_place
def show(workbench: Workbench, *, name: str, as_json: bool, **place: Any) -> None:
    """Show a model's versions and who was promoted when; or all that is known of one VERSION (or alias)."""
    from rich.console import Console

    from firnline_snowpark.promote.rendering import render_model, render_version, version_details, version_line

    model, _, wanted = name.partition("/")
    with _shelf(workbench, **place) as shelf:
        model = shelf.name(model)
        versions = shelf.versions(model)
        chosen = shelf.version(model, wanted) if wanted else None
    if as_json:
        for line in [version_details(chosen)] if chosen else [version_line(each) for each in reversed(versions)]:
            click.echo(json.dumps(line))
        return
    Console().print(render_version(chosen) if chosen else render_model(model, versions))


@models.command(epilog=_EPILOG)
@click.argument("name")
@click.argument("version")
@click.option("--note", required=True, help="Why; kept with the version.")
@_alias
@_json
@_place
def promote(
    workbench: Workbench, *, name: str, version: str, note: str, alias: str, as_json: bool, **place: Any
) -> None:
    """Let production use VERSION (its name or an alias) of model NAME, without a comparison."""
    _check_note(note)
    with _shelf(workbench, **place) as shelf:
        model = shelf.name(name)
        moved = shelf.promote(model, shelf.version(model, version).name, alias, note)
    _tell(model, alias, moved, as_json=as_json)


@models.command(epilog=_EPILOG)
@click.argument("name")
@click.option("--note", default="", help="Why; kept with the version.")
@_alias
@_json
@_place
def rollback(workbench: Workbench, *, name: str, note: str, alias: str, as_json: bool, **place: Any) -> None:
    """Let production use the version of model NAME that it used before."""
    if note:
        _check_note(note)
    with _shelf(workbench, **place) as shelf:
        model = shelf.name(name)
        moved = shelf.roll_back(model, alias, note)
    _tell(model, alias, moved, as_json=as_json)


def _check_note(note: str) -> None:
    if not note.strip() or len(note) > LONGEST_NOTE:
        raise UsageError(
            f"a note has 1 to {LONGEST_NOTE} characters, not {len(note.strip())}", hint='--note "why it is promoted"'
        )


def _tell(model: str, alias: str, moved: tuple[str | None, str], *, as_json: bool) -> None:
    before, after = moved
    if as_json:
        click.echo(json.dumps({"model": model, "alias": alias.upper(), "from": before, "to": after}))
    elif before == after:
        click.echo(f"{after} is {alias.upper()} of {model} already")
    else:
        click.echo(f"{alias.upper()} of {model}: {before or 'no version'} → {after}")


@contextmanager
def _shelf(
    workbench: Workbench, *, overrides: tuple[str, ...], connection: str | None, sandbox: Path | None
) -> Iterator[Shelf]:
    """Open the registry of the project's platform; the platform's refusals come out as ours."""
    if connection and sandbox:
        raise UsageError("--connection and --sandbox exclude each other", hint="give one of them")
    chosen = ["platform=snowflake", f"platform.connection={json.dumps(connection)}"] if connection else []
    if sandbox:
        if not sandbox.is_dir():
            raise UsageError(f"there is no sandbox in {sandbox}", hint="name the folder of one, or leave --sandbox out")
        chosen = ["platform=sandbox", f"platform.path={json.dumps(str(sandbox.resolve()))}"]
    with workbench.open((*chosen, *overrides)) as project:
        if not project.pipeline.uses_platform:
            raise UsageError("no stage of the pipeline uses a platform", hint="choose one that does: pipeline=NAME")
        platform = project.open_platform()
        session = platform.session(json.dumps({"tool": "firnline", "command": "models"}))
        from snowflake.snowpark.exceptions import SnowparkSQLException

        from firnline_snowpark.promote.shelf import Shelf

        try:
            yield Shelf(session, platform.schema())
        except SnowparkSQLException as error:
            raise PlatformError(
                f"the platform refuses: {error.message}", hint="does the role own the models of this schema?"
            ) from error
        finally:
            session.close()
