"""The runs of a multirun: of each job the latest, since one that is resumed has several."""

from __future__ import annotations

from collections.abc import Sequence

from firnline.domain import RunRecord
from firnline.record import Store, load_run


def latest_runs(store: Store, sweep_id: str, job: int | None = None) -> list[RunRecord]:
    """Return the latest run of each job, or of one, in the order of their numbers."""
    rows = store.query(
        "SELECT run_id, max(started) FROM runs WHERE sweep_id = ? AND (? IS NULL OR job = ?) GROUP BY job ORDER BY job",
        (sweep_id, job, job),
    )
    return [load_run(store, str(run_id)) for run_id, _ in rows]


def without_lost(records: Sequence[RunRecord]) -> list[RunRecord]:
    """Leave out the jobs of a search that were cut off, and that a later job with the same choices stands for."""
    cut_off = {"killed", "interrupted"}
    return [
        record
        for number, record in enumerate(records)
        if record.status not in cut_off or all(later.overrides != record.overrides for later in records[number + 1 :])
    ]
