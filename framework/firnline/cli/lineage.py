"""``firnline lineage``: both directions from an artifact."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Final

import click

from firnline.cli.runs import opened_store, store_option
from firnline.domain.wording import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.tree import Tree

    from firnline.record import Lineage, LineageNode


_READS_LIMIT: Final = 160


@click.command()
@store_option
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.argument("name")
def lineage(name: str, *, store: str, as_json: bool) -> None:
    """Show what NAME was made from and what was made from it.

    NAME is a table, MODEL or MODEL/VERSION, a stage (its newest output) or RUN_ID:STAGE.
    """
    from rich.console import Console

    from firnline.record import lineage as find_lineage

    with opened_store(store) as opened:
        found = find_lineage(opened, name)
    if as_json:
        click.echo(json.dumps(asdict(found), indent=2))
        return
    console = Console()
    console.print(_tree("made from", found.subject, found.upstream, found))
    if found.downstream:
        console.print()
        console.print(_tree("used for", found.subject, found.downstream, found))


def _tree(title: str, subject: LineageNode, edges: Mapping[str, tuple[str, ...]], found: Lineage) -> Tree:
    from rich.tree import Tree

    root = Tree(_label(subject) + f" [dim]{title}:[/]", highlight=False)
    shown: set[str] = set()
    waiting = [(root, subject.key)]
    while waiting:
        branch, key = waiting.pop(0)
        if key in shown:
            continue
        shown.add(key)
        for other in edges.get(key, ()):
            again = " [dim](above)[/]" if other in shown else ""
            waiting.append((branch.add(_label(found.nodes[other]) + again), other))
    return root


def _label(node: LineageNode) -> str:
    from rich.markup import escape

    when = f"{datetime.fromtimestamp(node.finished).astimezone():%Y-%m-%d %H:%M}"
    what = ", ".join(node.artifacts.values())
    head = f"[bold]{escape(node.stage)}[/] [dim]{node.step} · run {node.run_id} · {when}[/]\n{escape(what)}"
    if not node.state:
        return head
    reads = one_line(", ".join(f"{name}={value}" for name, value in node.reads.items()), _READS_LIMIT)
    return f"{head}\n[dim]reads {escape(reads)}; its state was {node.state}[/]"
