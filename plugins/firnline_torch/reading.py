"""Exported Parquet files as arrays: column by column, without a Python object for a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from firnline.errors import DataError
from firnline_torch.encoding import Array, Encoder, fit_number, most_frequent
from firnline_torch.job import LABEL, ROW, feature_column

if TYPE_CHECKING:
    from pathlib import Path

    from firnline_torch.job import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Encoded rows.

    Attributes:
        numbers: float32, a row each.
        codes: int32, a row each.
        labels: int64 codes of classes, or float64 amounts.
    """

    numbers: Array
    codes: Array
    labels: Array


def read_table(folder: Path) -> Any:
    """Return the Arrow table of all files, in the order of their row hashes; None if there are none.

    Raises:
        DataError: a file is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    paths = sorted(folder.glob("*.parquet"))
    if not paths:
        return None
    try:
        table = pa.concat_tables([pq.read_table(path) for path in paths])
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{folder} holds a damaged file: {error}", hint="export the rows again") from error
    hashes = table.column(ROW).cast(pa.int64()).to_numpy()
    return table.drop_columns([ROW]).take(pa.array(np.argsort(hashes, kind="stable")))


def fit_encoder(job: Job, table: Any) -> Encoder:
    """Learn means, deviations and vocabularies from the training rows."""
    import pyarrow.compute as pc

    places = {name: feature_column(place) for place, name in enumerate(job.features)}
    numbers = [name for name in job.features if name not in job.texts]
    fitted = [fit_number(_floats(table.column(places[name]))) for name in numbers]
    vocabularies = []
    for name in job.texts:
        counted = pc.value_counts(table.column(places[name]).drop_null())
        values, counts = counted.field("values").to_pylist(), counted.field("counts").to_numpy()
        vocabularies.append(most_frequent(values, counts, job.params["categories"]))
    return Encoder(
        numbers=tuple(numbers),
        means=tuple(mean for mean, _, _ in fitted),
        scales=tuple(scale for _, scale, _ in fitted),
        gaps=tuple(place for place, (_, _, gap) in enumerate(fitted) if gap),
        texts=job.texts,
        vocabularies=tuple(vocabularies),
    )


def encode_table(job: Job, encoder: Encoder, table: Any) -> Rows:
    """Encode the rows whose label the model knows."""
    labels = _labels(job, table.column(LABEL))
    if job.task != "regression" and (labels < 0).any():
        known = labels >= 0
        table, labels = table.filter(_mask(known)), labels[known]
    numbers = np.empty((table.num_rows, encoder.width), dtype=np.float32)
    codes = np.empty((table.num_rows, len(encoder.texts)), dtype=np.int32)
    places = {name: feature_column(place) for place, name in enumerate(job.features)}
    for place, name in enumerate(encoder.numbers):
        encoder.put_number(numbers, place, _floats(table.column(places[name])))
    for place, name in enumerate(encoder.texts):
        codes[:, place] = _index(table.column(places[name]), encoder.vocabularies[place]) + 1
    return Rows(numbers=numbers, codes=codes, labels=labels)


def _labels(job: Job, column: Any) -> Array:
    if job.task == "regression":
        return _floats(column)
    wanted = job.classes if isinstance(job.classes[0], str) else tuple(float(label) for label in job.classes)
    return _index(column, wanted).astype(np.int64)


def _index(column: Any, values: tuple[Any, ...]) -> Array:
    """Return each value's place among ``values``, -1 for one that is not there and for a gap."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not values:
        return np.full(len(column), -1, dtype=np.int32)
    found = pc.index_in(column, value_set=pa.array(values, type=column.type))
    indices: Array = pc.fill_null(found, -1).to_numpy()
    return indices


def _floats(column: Any) -> Array:
    import pyarrow as pa

    return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)


def _mask(values: Array) -> Any:
    import pyarrow as pa

    return pa.array(values)
