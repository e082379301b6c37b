"""``firnline steps`` and ``firnline plugins``: what is installed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from firnline.cli.job import installed
from firnline.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


@click.command()
@click.argument("name", required=False)
def steps(name: str | None) -> None:
    """List the steps of installed plugins, or show one: ports, params, the option files that use it."""
    from rich.console import Console

    from firnline.cli.render.steps import StepPage, render_step, render_steps
    from firnline.config.names import nearest
    from firnline.loading import missing_modules

    registry = installed().registry
    options = _options_by_step(Path.cwd())
    pages = {
        key: StepPage(offer=offer, missing=missing_modules(offer.spec.modules), options=options.get(key, {}))
        for key, offer in registry.steps.items()
    }
    if name is None:
        Console().print(render_steps(list(pages.values()), registry.clashes))
        return
    if name not in pages:
        near = nearest(name, pages)
        raise UsageError(
            f"no installed plugin offers the step {name!r}",
            hint=f"did you mean {near}?" if near else "`firnline steps` lists them all",
        )
    Console().print(render_step(pages[name]))


@click.command()
def plugins() -> None:
    """Show installed plugins: where from, version, healthy or why not. Exit code 1 if one is broken."""
    from rich.console import Console

    from firnline.cli.render.steps import render_plugins

    reports = installed().registry.plugins
    Console().print(render_plugins(reports))
    if any(not report.healthy and not report.denied for report in reports):
        raise click.exceptions.Exit(1)


def _options_by_step(project: Path) -> Mapping[str, dict[str, str]]:
    """Return step id → ``group=option`` → who brings the option file."""
    import yaml

    from firnline.config import find_options

    found: dict[str, dict[str, str]] = {}
    for group, by_option in find_options(project).items():
        for option, folders in by_option.items():
            content = yaml.safe_load((folders[0].path / group / f"{option}.yaml").read_text("utf-8"))
            uses = content.get("uses") if isinstance(content, dict) else None
            if uses:
                found.setdefault(str(uses), {})[f"{group}={option}"] = folders[0].provider
    return found
