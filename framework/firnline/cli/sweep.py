"""The end of a multirun: the leaderboard, the sweep's page, the exit code."""

from __future__ import annotations

from pathlib import Path

from firnline.errors import UsageError


def finish_sweep(project: Path, sweep_id: str, mode: str) -> int:
    """Show the leaderboard of a sweep and write its page; 0 if every job finished, else 1."""
    from rich.console import Console

    from firnline.cli.render.leaderboard import render_leaderboard
    from firnline.config import compose
    from firnline.record import Store, list_runs
    from firnline.record.leaderboard import rank
    from firnline.record.sweep_report import render_sweep

    data = compose(project, ()).data
    sweep, store_node = data.get("sweep") or {}, data.get("store") or {}
    store = Store(project / store_node.get("path", ".firnline"))
    try:
        records = sorted(list_runs(store, limit=100_000, sweep_id=sweep_id), key=lambda record: record.job or 0)
        if not records:
            raise UsageError("no job of the multirun could start", hint="the problems are listed above")
        board = rank(records, metric=sweep.get("metric"), direction=sweep.get("direction", "maximize"))
        page = store.root / "sweeps" / sweep_id / "sweep.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(render_sweep(board, cache=store.root / "cache"), "utf-8")
    finally:
        store.close()
    if mode == "auto":
        shown = page.relative_to(project) if page.is_relative_to(project) else page
        Console().print(render_leaderboard(board, report=shown))
    return 0 if all(record.status == "finished" for record in records) else 1
