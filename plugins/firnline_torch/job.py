"""The order to a trainer: a folder with exported rows and one JSON file. Nothing else is needed to carry it out."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path

    from firnline.domain import Task

ORDER_FILE: Final = "job.json"
CHECKPOINT_FILE: Final = "checkpoint.pt"
RESULT_FILE: Final = "result.pkl"
FACTS_FILE: Final = "facts.json"
PROGRESS_FILE: Final = "progress.jsonl"
FAILURE_FILE: Final = "failure.json"
OWNER_FILE: Final = "owner.lock"
LABEL: Final = "LABEL"
ROW: Final = "ROW_HASH"


def feature_column(place: int) -> str:
    """Return the name of a feature in the exported files; the table's own may be anything."""
    return f"C{place}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to be trained.

    Attributes:
        key: content key of the stage: the same key is the same training.
        features: names in order.
        texts: those that are categories; the others are numbers.
        task: ``binary``, ``multiclass`` or ``regression``.
        classes: the labels in the order of their codes; empty for regression.
        params: of the stage, as JSON.
        has_validation: whether there are rows that tell when to stop.
        project: folder from which a network of the user's own is imported.
    """

    key: str
    features: tuple[str, ...]
    texts: tuple[str, ...]
    task: Task
    classes: tuple[Any, ...]
    params: dict[str, Any]
    has_validation: bool
    project: str = ""

    def write(self, folder: Path) -> None:
        """Write the order, as the last file of the export: where it stands, the export is whole."""
        write_json(folder / ORDER_FILE, asdict(self))

    @staticmethod
    def read(folder: Path) -> Job:
        """Read what :meth:`write` wrote."""
        data = json.loads((folder / ORDER_FILE).read_text("utf-8"))
        lists = {name: tuple(data[name]) for name in ("features", "texts", "classes")}
        return Job(**{**data, **lists})


def write_json(path: Path, data: Any) -> None:
    """Write a file that is there as a whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", encoding="utf-8") as file:
        json.dump(data, file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
