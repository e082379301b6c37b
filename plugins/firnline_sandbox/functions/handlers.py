"""Running a loaded handler over rows, partitions and groups, inside of a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from firnline_sandbox.functions.code import FIELD, ORIGIN, wire_arrow_type
from firnline_sandbox.functions.values import SQL_NULL, from_series, to_arrow, to_python, to_series
from firnline_sandbox.workers.warehouse_module import BATCH_SIZE, VECTORIZED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from firnline_sandbox.functions.code import Code
    from firnline_sandbox.types import SnowflakeType

MERGED_ROWS: Final = 10_000  # an aggregate accumulates so many rows, and merges what it has with the next so many


def is_vectorized(function: Any) -> bool:
    """Say whether a function takes pandas data."""
    return getattr(function, VECTORIZED, None) is not None


# -- functions of rows


def run_scalar(code: Code, handler: Any, columns: Sequence[Any], rows: int) -> pa.Array:
    """Give a function's result for each row."""
    assert code.returns is not None
    if is_vectorized(handler):
        return _run_vectorized(code, handler, columns, rows)
    if not columns:
        return to_arrow([handler() for _ in range(rows)], code.returns, json_nulls=True)
    arguments = [
        to_python(column, type_, absent=None if code.strict else SQL_NULL)
        for column, type_ in zip(columns, code.parameters, strict=True)
    ]
    if not code.strict:
        return to_arrow(list(map(handler, *arguments)), code.returns, json_nulls=True)
    whole = _rows_without_null(columns, rows)
    if whole is None:
        return to_arrow(list(map(handler, *arguments)), code.returns, json_nulls=True)
    results = [
        handler(*row) if is_whole else SQL_NULL
        for row, is_whole in zip(zip(*arguments, strict=True), whole.to_pylist(), strict=True)
    ]
    return to_arrow(results, code.returns, json_nulls=True)


def _run_vectorized(code: Code, handler: Any, columns: Sequence[Any], rows: int) -> pa.Array:
    assert code.returns is not None
    if code.strict and (whole := _rows_without_null(columns, rows)) is not None:
        results = _run_batches(code, handler, [column.filter(whole) for column in columns], whole.true_count)
        places = pa.array(_places(whole.to_pylist()), pa.int64())
        return results.take(places)
    return _run_batches(code, handler, columns, rows)


def _rows_without_null(columns: Sequence[Any], rows: int) -> Any:
    """Say for each row whether no argument is NULL; None where that holds for all."""
    import pyarrow.compute as pc

    if not any(column.null_count for column in columns):
        return None
    whole = pa.array([True] * rows)
    for column in columns:
        whole = pc.and_(whole, column.is_valid())
    return whole


def _places(whole: Sequence[bool]) -> Iterator[int | None]:
    """Number the rows that are whole."""
    numbers = iter(range(len(whole)))
    return (next(numbers) if is_whole else None for is_whole in whole)


def _run_batches(code: Code, handler: Any, columns: Sequence[Any], rows: int) -> pa.Array:
    assert code.returns is not None
    size = getattr(handler, BATCH_SIZE, None) or rows or 1
    parts = []
    for start in range(0, rows, size):
        count = min(size, rows - start)
        frame = _frame([column.slice(start, count) for column in columns], code.parameters, count)
        part = from_series(handler(frame), code.returns)
        if len(part) not in {1, count}:
            raise ValueError(f"the vectorized handler returned {len(part)} rows for {count}")
        parts.append(part if len(part) == count else pa.concat_arrays([part] * count))
    if not parts:
        return pa.array([], wire_arrow_type(code.returns))
    return pa.concat_arrays(parts)


def _frame(columns: Sequence[Any], types: Sequence[SnowflakeType], rows: int) -> Any:
    import pandas as pd

    series = {index: to_series(column, type_) for index, (column, type_) in enumerate(zip(columns, types, strict=True))}
    return pd.DataFrame(series, index=range(rows))


# -- functions of groups


def run_aggregate(code: Code, handler: Any, groups: Any) -> pa.Array:
    """Give an aggregate's result for each list of rows; a group without rows has a state, too."""
    assert code.returns is not None
    return to_arrow([_aggregate(code, handler, group) for group in _split(code, groups)], code.returns)


def _aggregate(code: Code, handler: Any, columns: list[Any]) -> Any:
    arguments = [to_python(column, type_) for column, type_ in zip(columns[1:], code.parameters, strict=True)]
    rows = list(zip(*arguments, strict=True)) if arguments else [()] * len(columns[0])
    if code.strict:
        rows = [row for row in rows if None not in row]
    total = handler()
    for start in range(0, len(rows), MERGED_ROWS):
        part = handler() if start else total
        for row in rows[start : start + MERGED_ROWS]:
            part.accumulate(*row)
        if start:
            total.merge(part.aggregate_state)
    return total.finish()


def _split(code: Code, groups: Any) -> Iterator[list[Any]]:
    """Give each group's columns; the first one only tells how many rows there are."""
    lists = groups.combine_chunks() if isinstance(groups, pa.ChunkedArray) else groups
    if isinstance(lists, pa.ChunkedArray):
        lists = pa.concat_arrays(lists.chunks)
    rows = lists.flatten()
    fields = [rows.field(0)] if not code.parameters else rows.flatten()
    columns = [fields[0], *fields[: len(code.parameters)]]
    start = 0
    for count in lists.value_lengths().to_pylist():
        yield [column.slice(start, count or 0) for column in columns]
        start += count or 0


# -- table functions


def run_table_rows(code: Code, handler: Any, columns: Sequence[Any], rows: int) -> pa.Array:
    """Give a table function's rows for each row of arguments; what the last end_partition gives follows the last."""
    lists: list[_Rows] = []
    if rows and _takes_partitions(handler):
        found = _Rows(code)
        found.add_frames(handler().end_partition(_named_frame(code, columns, rows)), None)
        lists = [_Rows(code) for _ in range(rows - 1)] + [found]
    elif rows:
        instance = handler()
        for position, found in enumerate(_process_each(code, instance, columns, rows)):
            found.origins = [0] * len(found)
            if position == rows - 1:
                found.add_end(instance)
            lists.append(found)
    return _to_lists(code, lists)


def run_table_groups(code: Code, handler: Any, groups: Any) -> pa.Array:
    """Give a table function's rows for each partition, a list of rows of arguments."""
    lists = []
    for columns in _split(code, groups):
        found = _Rows(code)
        lists.append(found)
        rows = len(columns[0])
        if not rows:
            continue
        if _takes_partitions(handler):
            found.add_frames(handler().end_partition(_named_frame(code, columns[1:], rows)), None)
            continue
        instance = handler()
        for position, given in enumerate(_process_each(code, instance, columns[1:], rows)):
            found.extend(given, position + 1)
        found.add_end(instance)
    return _to_lists(code, lists)


def _takes_partitions(handler: Any) -> bool:
    """Say whether a handler wants whole partitions as frames."""
    return is_vectorized(getattr(handler, "end_partition", None))


def _named_frame(code: Code, columns: Sequence[Any], rows: int) -> Any:
    """Give a frame whose columns are named after the parameters, as table functions get it."""
    frame = _frame(columns, code.parameters, rows)
    frame.columns = list(code.names)
    return frame


def _process_each(code: Code, instance: Any, columns: Sequence[Any], rows: int) -> Iterator[_Rows]:
    """Give what ``process`` gives for each row of arguments."""
    process = getattr(instance, "process", None)
    if process is None:
        yield from (_Rows(code) for _ in range(rows))
        return
    if is_vectorized(process):
        yield from _process_vectorized(code, process, columns, rows)
        return
    arguments = [to_python(column, type_) for column, type_ in zip(columns, code.parameters, strict=True)]
    for row in zip(*arguments, strict=True) if arguments else [()] * rows:
        found = _Rows(code)
        if code.strict and None in row:
            found.add([(None,) * len(code.columns or ())], 0)
        else:
            found.add(process(*row) or [], 0)
        yield found


def _process_vectorized(code: Code, process: Any, columns: Sequence[Any], rows: int) -> Iterator[_Rows]:
    """Call ``process`` with batches: it gives a row for each one of a batch, or else they stand with its last."""
    size = getattr(process, BATCH_SIZE, None) or rows
    for start in range(0, rows, size):
        count = min(size, rows - start)
        batch = [column.slice(start, count) for column in columns]
        given = _Rows(code)
        given.add_frames(process(_named_frame(code, batch, count)), 0)
        if len(given) == count:
            yield from given.one_by_one()
        else:
            yield from (_Rows(code) for _ in range(count - 1))
            yield given


class _Rows:
    """The rows that a table function gives: plain ones, or frames where it is vectorised."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self._width = len(code.columns or ())
        self.origins: list[int | None] = []
        self.rows: list[tuple[Any, ...]] = []
        self.frames: list[Any] = []

    def __len__(self) -> int:
        return len(self.origins)

    def add(self, rows: Iterable[Any], origin: int | None) -> None:
        """Add what ``process`` or ``end_partition`` gave."""
        for row in rows:
            values = tuple(row) if isinstance(row, tuple | list) else (row,)
            if len(values) != self._width:
                raise ValueError(f"the handler gave a row of {len(values)} values, expected {self._width}")
            self.rows.append(values)
            self.origins.append(origin)

    def add_frames(self, result: Any, origin: int | None) -> None:
        """Add a frame, a tuple of columns, or several of them."""
        import pandas as pd

        if isinstance(result, pd.DataFrame | tuple):
            result = [result]
        for one in [] if result is None else result:
            frame = one if isinstance(one, pd.DataFrame) else pd.DataFrame(dict(enumerate(one)))
            if frame.shape[1] != self._width:
                raise ValueError(f"the handler gave {frame.shape[1]} columns, expected {self._width}")
            self.frames.append(frame)
            self.origins += [origin] * len(frame)

    def add_end(self, instance: Any) -> None:
        """Add what ``end_partition`` gives, if there is one."""
        end_partition = getattr(instance, "end_partition", None)
        if end_partition is None:
            return
        if is_vectorized(getattr(instance, "process", None)):
            self.add_frames(end_partition(), None)
            return
        result = end_partition()
        self.add([] if result is None else result, None)

    def extend(self, other: _Rows, origin: int) -> None:
        """Add other rows as those of one row of arguments."""
        self.rows += other.rows
        self.frames += other.frames
        self.origins += [origin] * len(other)

    def one_by_one(self) -> Iterator[_Rows]:
        """Give each row of the frames alone."""
        for values in self.plain():
            single = _Rows(self._code)
            single.rows, single.origins = [values], [0]
            yield single

    def plain(self) -> Iterator[tuple[Any, ...]]:
        """Give all rows as tuples: what ``process`` gave comes before the frames of ``end_partition``."""
        yield from self.rows
        for frame in self.frames:
            yield from frame.astype(object).where(frame.notna(), None).itertuples(index=False, name=None)


def _to_lists(code: Code, lists: Sequence[_Rows]) -> pa.Array:
    types = [type_ for _, type_ in code.columns or ()]
    offsets = [0]
    for one in lists:
        offsets.append(offsets[-1] + len(one))
    origins = pa.array([origin for one in lists for origin in one.origins], pa.int64())
    if any(one.frames for one in lists) and not any(one.rows for one in lists):
        columns = _columns_of_frames(lists, types)
    else:
        rows = [row for one in lists for row in one.plain()]
        columns = [to_arrow([row[position] for row in rows], type_) for position, type_ in enumerate(types)]
    names = [ORIGIN, *(FIELD.format(position) for position in range(len(types)))]
    structs = pa.StructArray.from_arrays([origins, *columns], names=names)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), structs)


def _columns_of_frames(lists: Sequence[_Rows], types: Sequence[SnowflakeType]) -> list[pa.Array]:
    frames = [frame for one in lists for frame in one.frames]
    return [
        pa.concat_arrays([from_series(frame.iloc[:, position], type_) for frame in frames])
        for position, type_ in enumerate(types)
    ]
