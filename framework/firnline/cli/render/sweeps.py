"""The multiruns of a project in the terminal, newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from firnline.cli.render.text import plain
from firnline.domain.wording import number_text, time_text


def render_sweeps(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Return a table of sweeps as ``firnline sweep list --json`` tells of them."""
    if not rows:
        return plain("no sweep ran in this project yet; `firnline run -m …` starts one", "dim")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for name in ("sweep", "started", "status"):
        table.add_column(name, no_wrap=True)
    for name in ("done", "failed", "best"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("overrides", overflow="fold", ratio=1, min_width=20)
    for row in rows:
        best = f"{number_text(row['best'])} {row['metric']}" if row["best"] is not None else "–"
        table.add_row(
            plain(row["sweep_id"], "bold"),
            Text(time_text(row["started"], None)),
            plain(row["status"]),
            Text(f"{row['finished']} of {row['jobs'] if row['jobs'] is not None else '?'}"),
            Text(str(row["failed"] or "–")),
            plain(best),
            plain(" ".join(row["overrides"])),
        )
    return table
