"""Which folder is meant: one that was exported, a stage of a run, or the newest export of a registered model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from firnline.domain import artifact_from_json, event_from_json, fold
from firnline.domain.artifact import Files
from firnline.errors import UsageError
from firnline_onnx.signature import SIGNATURE_FILE, read_signature

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from firnline.domain import RunRecord

NEWEST: Final = "last"


def find_export(name: str, store: Path, folder: Path) -> Path:
    """Return the folder that holds the model.

    Args:
        name: of a folder; ``RUN/STAGE``, with the id of a run, the start of one, or ``last``; or ``MODEL`` or
            ``MODEL/VERSION`` of the registry, whose newest export in the store is taken.
        store: the folder of records.
        folder: what a relative path is relative to.

    Raises:
        UsageError: nothing of the three is there.
    """
    for path in (folder / name, folder / name / "onnx"):
        if (path / SIGNATURE_FILE).is_file():
            return path
    head, _, tail = name.rpartition("/")
    exports = list(_exports(store))
    for run_id, stage, path in exports:
        if head and stage == tail and (head == NEWEST or run_id.startswith(head)):
            return path
    for _, _, path in exports:
        signature = read_signature(path)
        short = signature.name.rpartition(".")[2]
        if name in {signature.name, short, f"{signature.name}/{signature.version}", f"{short}/{signature.version}"}:
            return path
    known = dict.fromkeys(f"{run_id}/{stage}" for run_id, stage, _ in exports)
    raise UsageError(
        f"no exported model is called {name!r}: it is no folder with a {SIGNATURE_FILE}, no stage of a run, "
        "and no registered model with an export",
        hint=f"{store} has {', '.join(list(known)[:5])}" if known else "export one first: `firnline run +export=onnx`",
    )


def _exports(store: Path) -> Iterator[tuple[str, str, Path]]:
    """Yield (run, stage, folder) of the exports of all runs, newest first."""
    for events in sorted(store.glob("runs/*/events.jsonl"), reverse=True):
        record = _record(events)
        for stage in record.stages.values() if record is not None else ():
            for data in stage.outputs.values():
                artifact = artifact_from_json(data, store)
                if isinstance(artifact, Files) and (artifact.path / SIGNATURE_FILE).is_file():
                    yield events.parent.name, stage.name, artifact.path


def _record(events: Path) -> RunRecord | None:
    """Fold a run's events; the last line of a run that goes on may be half written."""
    complete = [line for line in events.read_text("utf-8").splitlines(keepends=True) if line.endswith("\n")]
    return fold(event_from_json(json.loads(line)) for line in complete)
