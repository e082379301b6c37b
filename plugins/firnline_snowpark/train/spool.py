"""Training rows on the local disk, encoded, part by part: memory holds one part, however many rows there are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from firnline.errors import DataError, InterruptedRunError
from firnline_snowpark.rows import UNKNOWN_LABEL, read_batches

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np

    from firnline.domain import StepContext
    from firnline_snowpark.rows import LearningTask


@dataclass(slots=True, kw_only=True)
class Spool:
    """Encoded rows in files, and what was counted while they were written.

    Attributes:
        folder: of the files.
        parts: rows of each.
        width: columns of the encoded matrix.
        labels: of all rows: one number a row is what stays in memory.
        largest: rows of the largest part.
    """

    folder: Path
    parts: list[int] = field(default_factory=list)
    width: int = 0
    labels: np.ndarray[Any, Any] = field(default_factory=lambda: _nothing())

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(self.parts)

    @property
    def largest(self) -> int:
        """Rows of the largest part."""
        return max(self.parts, default=0)

    def part(self, number: int) -> np.ndarray[Any, Any]:
        """Return a part's matrix; the operating system reads of it what is looked at."""
        import numpy as np

        matrix: np.ndarray[Any, Any] = np.load(self.folder / f"{number}.npy", mmap_mode="r")
        return matrix

    def labels_of(self, number: int) -> np.ndarray[Any, Any]:
        """Return a part's labels."""
        start = sum(self.parts[:number])
        return self.labels[start : start + self.parts[number]]

    def each(self) -> Iterator[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
        """Yield matrix and labels of one part after the other."""
        for number in range(len(self.parts)):
            yield self.part(number), self.labels_of(number)


def _nothing() -> np.ndarray[Any, Any]:
    import numpy as np

    return np.empty(0)


def spool_rows(
    context: StepContext,
    front: Any,
    task: LearningTask,
    table: str,
    folder: Path,
    *,
    order: tuple[str, ...],
    limit: int | None,
    seed: int,
    batch_rows: int,
) -> Spool:
    """Write the rows of a table whose label the task knows; the platform is asked once.

    Args:
        context: of the training stage.
        front: the fitted preprocessing.
        task: what is learned from what.
        table: fully qualified, ready for SQL.
        folder: an empty folder.
        order: columns that order the rows.
        limit: take a sample of so many rows.
        seed: of that sample.
        batch_rows: rows of a part at most.
    """
    import numpy as np

    found: list[np.ndarray[Any, Any]] = []
    spool = Spool(folder=folder)
    batches = read_batches(context.session, table, task, order=order, limit=limit, seed=seed, batch_rows=batch_rows)
    for batch in batches:
        if context.is_cancelled():
            raise InterruptedRunError("the training was stopped")
        known = np.isfinite(batch.labels) if task.task == "regression" else batch.labels != UNKNOWN_LABEL
        if not known.any():
            continue
        matrix = np.ascontiguousarray(front.transform(batch.features[known]), dtype=np.float32)
        np.save(folder / f"{len(spool.parts)}.npy", matrix)
        spool.parts.append(len(matrix))
        spool.width = matrix.shape[1]
        found.append(batch.labels[known])
        context.progress("reading rows", spool.rows)
    if found:
        spool.labels = np.concatenate(found)
    return spool


def spool_matrix(matrix: np.ndarray[Any, Any], labels: np.ndarray[Any, Any], folder: Path, *, batch_rows: int) -> Spool:
    """Write rows that are encoded already."""
    import numpy as np

    spool = Spool(folder=folder, width=matrix.shape[1], labels=labels)
    for start in range(0, len(matrix), batch_rows):
        part = np.ascontiguousarray(matrix[start : start + batch_rows], dtype=np.float32)
        np.save(folder / f"{len(spool.parts)}.npy", part)
        spool.parts.append(len(part))
    return spool


def refuse_missing_classes(spool: Spool, task: LearningTask, table: str) -> None:
    """Refuse rows from which a class, or anything at all, cannot be learned.

    Raises:
        DataError: naming what is missing.
    """
    import numpy as np

    if not spool.rows:
        raise DataError(f"{table} has no row with a value in {task.target!r}", hint="is the right table connected?")
    present = set(np.unique(spool.labels).tolist()) if task.task != "regression" else set()
    if absent := [label for code, label in enumerate(task.classes) if code not in present]:
        raise DataError(
            f"no training row has {task.target} = {', '.join(repr(label) for label in absent[:5])}",
            hint="such rare classes are better merged or removed; or split with another seed, or stratified",
        )


def weights(spool: Spool, classes: int) -> np.ndarray[Any, Any]:
    """Return a weight for each class, by which all classes weigh the same."""
    import numpy as np

    counts = np.bincount(spool.labels.astype(np.int64), minlength=classes)
    return np.asarray(spool.rows / (classes * counts), dtype=np.float64)
