"""The past of a project, as planning asks about it (``firnline.domain.History``)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from firnline.domain import EarlierOutput, EarlierStage, StageSample
from firnline.record.store import Store

_LATEST: Final = 20
_CHUNK: Final = 500


class Past:
    """Answers from the store what was made before, how it was planned, and how long it took."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def outputs(self, keys: Collection[str]) -> Mapping[str, EarlierOutput]:
        """Return the newest finished output of each key that has one."""
        found: dict[str, EarlierOutput] = {}
        wanted = list(dict.fromkeys(keys))
        for start in range(0, len(wanted), _CHUNK):
            chunk = wanted[start : start + _CHUNK]
            marks = ",".join("?" * len(chunk))
            rows = self._store.query(
                f"SELECT key, run_id, outputs, metrics FROM outputs WHERE key IN ({marks})",  # noqa: S608 (marks only)
                chunk,
            )
            for key, run_id, outputs, metrics in rows:
                artifacts = json.loads(outputs)
                paths = [self._store.root / artifact["path"] for artifact in artifacts.values() if "path" in artifact]
                found[key] = EarlierOutput(
                    run_id=run_id,
                    outputs=artifacts,
                    metrics=json.loads(metrics),
                    intact=all(path.exists() for path in paths),
                )
        return found

    def stages(self, pipeline: str) -> Mapping[str, EarlierStage]:
        """Return stage name → how it was planned the last time."""
        rows = self._store.query(
            "SELECT stage, run_id, status, step, parts, params, max(started) FROM stages WHERE pipeline = ? "
            "GROUP BY stage",
            (pipeline,),
        )
        return {
            stage: EarlierStage(
                run_id=run_id, status=status, step=step, parts=json.loads(parts), params=json.loads(params)
            )
            for stage, run_id, status, step, parts, params, _ in rows
        }

    def durations(self, pipeline: str) -> Mapping[tuple[str, str], Sequence[float]]:
        """Return (stage, step) → seconds of its latest finished runs."""
        rows = self._store.query(
            "SELECT stage, step, seconds FROM (SELECT stage, step, seconds, row_number() OVER "
            "(PARTITION BY stage, step ORDER BY started DESC) AS place FROM stages "
            "WHERE pipeline = ? AND status = 'finished' AND seconds IS NOT NULL) WHERE place <= ?",
            (pipeline, _LATEST),
        )
        durations: dict[tuple[str, str], list[float]] = {}
        for stage, step, seconds in rows:
            durations.setdefault((stage, step), []).append(seconds)
        return durations

    def samples(self, pipeline: str) -> Mapping[tuple[str, str], Sequence[StageSample]]:
        """Return (stage, step) → its latest finished runs, with the rows of the tables that they took in."""
        rows = self._store.query(
            "SELECT stage, step, run_id, seconds, inputs FROM (SELECT *, row_number() OVER "
            "(PARTITION BY stage, step ORDER BY started DESC) AS place FROM stages "
            "WHERE pipeline = ? AND status = 'finished' AND seconds IS NOT NULL) WHERE place <= ? ORDER BY place",
            (pipeline, _LATEST),
        )
        taken = [[(key, port) for links in json.loads(row[4]).values() for _, port, key in links] for row in rows]
        made = self.outputs([key for links in taken for key, _ in links])
        samples: dict[tuple[str, str], list[StageSample]] = {}
        for (stage, step, run_id, seconds, _), links in zip(rows, taken, strict=True):
            sample = StageSample(run_id=run_id, seconds=seconds, rows=_rows(links, made))
            samples.setdefault((stage, step), []).append(sample)
        return samples


def _rows(links: Sequence[tuple[str, str]], made: Mapping[str, EarlierOutput]) -> int | None:
    found = [made[key].rows(port) for key, port in links if key in made]
    known = [rows for rows in found if rows is not None]
    return sum(known) if known else None
