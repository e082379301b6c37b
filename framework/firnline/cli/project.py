"""``firnline init`` and ``firnline new-plugin``: start something of one's own."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

import click

from firnline.errors import UsageError


@click.command()
@click.argument("folder", default=".", type=click.Path(file_okay=False, path_type=Path))
def init(folder: Path) -> None:
    """Start a project in FOLDER: a conf/ folder that runs the churn pipeline."""
    target = folder / "conf"
    if target.exists():
        raise UsageError(f"{target} exists already", hint="choose an empty folder; nothing was changed")
    template = _project_template()
    shutil.copytree(template, target, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    click.echo(f"{target} is ready. Try: firnline plan")


def _project_template() -> Path:
    """Return the project template: packed with the distribution, or the repository's own conf/."""
    packed = Path(str(resources.files("firnline") / "project"))
    if packed.is_dir():
        return packed
    repository = Path(str(resources.files("firnline"))).parent.parent / "conf"
    if not repository.is_dir():
        raise UsageError("this installation of Firnline has no project template", hint="install it again")
    return repository


@click.command("new-plugin")
@click.argument("name")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), default=None, help="Where; default ./NAME.")
def new_plugin(name: str, folder: Path | None) -> None:
    """Start a distribution called NAME with one step, its option file and the conformance tests."""
    from firnline.cli.new_plugin import write_plugin

    target = write_plugin(name, folder if folder is not None else Path(name))
    click.echo(f"{target} is ready. Try: cd {target} && pip install -e '.[test]' && pytest")
