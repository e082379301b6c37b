"""The reference: which columns are compared, where their bins are, and how many rows fell into each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from firnline.domain import quote_constant, quote_name
from firnline.errors import DataError
from firnline_evidently.counting import count, segment_sql
from firnline_evidently.profile import EVERYTHING, ColumnBins, ColumnKind, Profile
from firnline_evidently.relations import choose_pairs, correlate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from snowflake.snowpark import Session

    from firnline_evidently.params import MonitorParams

_SETTINGS: Final = (
    "columns",
    "ignore",
    "bins",
    "fine_bins",
    "categories",
    "slices",
    "slice_values",
    "time",
    "season",
    "pairs",
)
_TAIL: Final = 0.001  # the fine bins leave out what lies further out: one outlier must not decide their width
WEEK: Final = "week of "


def settings_of(params: MonitorParams) -> dict[str, Any]:
    """Return the params that a profile depends on."""
    data = params.model_dump(mode="json")
    return {name: data[name] for name in (*_SETTINGS, "usual")}


def comparable_columns(session: Session, table: str, params: MonitorParams) -> dict[str, ColumnKind]:
    """Return the columns that can be compared, with their kinds, in the table's order.

    Raises:
        DataError: a column that the params name is not there, or has no kind that can be compared.
    """
    kinds = column_kinds(session, table)
    time = (params.time,) if params.time is not None else ()
    named = (*params.columns, *params.ignore, *params.slices, *params.thresholds, *time)
    unknown = [name for name in named if name not in kinds]
    if unknown:
        raise DataError(
            f"the reference table has no column {unknown[0]!r}",
            hint=f"it has {', '.join(list(kinds)[:30])}; names are case-sensitive here",
        )
    impossible = [name for name in params.columns if kinds[name] is None]
    if impossible:
        raise DataError(
            f"column {impossible[0]!r} is neither a number, nor text, nor a flag",
            hint="compare such a column by a feature made of it, or leave it out with monitor.params.ignore",
        )
    wanted = params.columns or tuple(name for name, kind in kinds.items() if kind is not None)
    found = {name: kind for name, kind in kinds.items() if name in wanted and name not in params.ignore and kind}
    if not found:
        raise DataError("no column is left to compare", hint="name some with monitor.params.columns")
    return found


def column_kinds(session: Session, table: str) -> dict[str, ColumnKind | None]:
    """Return each column's exact name and kind; None for dates, times and semi-structured values."""
    from snowflake.snowpark import types

    def kind(datatype: types.DataType) -> ColumnKind | None:
        if isinstance(datatype, types._NumericType):  # noqa: SLF001 (the client names no public class for all numbers)
            return "number"
        return "category" if isinstance(datatype, types.StringType | types.BooleanType) else None

    return {_exact(field.name): kind(field.datatype) for field in session.table(table).schema.fields}


def season_filter(session: Session, reference: str, current: str, params: MonitorParams) -> str:
    """Return the reference as a source for SQL: those of its rows that fall into the current rows' season."""
    if params.season is None or params.time is None:
        return reference
    function = "DAYOFWEEKISO" if params.season == "weekday" else "MONTH"
    place = f"{function}({quote_name(params.time)})"
    rows = session.sql(f"SELECT DISTINCT {place} FROM {current} WHERE {quote_name(params.time)} IS NOT NULL").collect()  # noqa: S608 (quoted)
    places = sorted(int(row[0]) for row in rows)
    if not places:
        raise DataError(
            f"the current rows have no value in {params.time!r}, so their season is unknown",
            hint="set monitor.params.season=null, or another monitor.params.time",
        )
    return f"(SELECT * FROM {reference} WHERE {place} IN ({', '.join(map(str, places))}))"  # noqa: S608 (numbers)


def build_profile(session: Session, table: str, source: str, params: MonitorParams) -> Profile:
    """Decide bins and count the reference's rows in them.

    Args:
        session: where the table is.
        table: the reference's name.
        source: the same, or a query of some of its rows in parentheses.
        params: of the monitor.

    Raises:
        DataError: a column is missing, or there are no rows.
    """
    kinds = comparable_columns(session, table, params)
    sample = draw_sample(session, source, tuple(kinds), params.sample)
    if sample.empty:
        raise DataError("the reference has no rows", hint="a monitor needs the rows that the model learned from")
    deviations = _deviations(session, source, [name for name, kind in kinds.items() if kind == "number"])
    columns = tuple(
        _number_bins(name, sample[name], deviations[name], params)
        if kind == "number"
        else ColumnBins(name=name, kind=kind, categories=_frequent(session, source, name, params.categories))
        for name, kind in kinds.items()
    )
    counts = count(session, source, columns)
    for slice_column in params.slices:
        values = _frequent(session, source, slice_column, params.slice_values)
        segment = segment_sql(slice_column, values)
        counts |= count(session, source, columns, segment=segment)
    if params.usual is not None and params.time is not None:
        week = f"{quote_constant(WEEK)} || TO_VARCHAR(DATE_TRUNC('WEEK', {quote_name(params.time)})::DATE)"
        counts |= count(session, source, columns, segment=week)
    correlations = correlate(session, source, columns, choose_pairs(sample, columns, params.pairs))
    return Profile(columns=columns, counts=counts, settings=settings_of(params), correlations=correlations)


def count_current(session: Session, source: str, reference: Profile, params: MonitorParams) -> Profile:
    """Count other rows in the bins of a reference."""
    counts = count(session, source, reference.columns)
    for slice_column in params.slices:
        start = f"{slice_column}="
        values = [name.removeprefix(start) for name in reference.counts if name.startswith(start)]
        segment = segment_sql(slice_column, values)
        counts |= count(session, source, reference.columns, segment=segment)
    pairs = [(pair.first, pair.second) for pair in reference.correlations]
    correlations = correlate(session, source, reference.columns, pairs)
    return Profile(columns=reference.columns, counts=counts, settings=reference.settings, correlations=correlations)


def draw_sample(session: Session, source: str, columns: Sequence[str], rows: int) -> pd.DataFrame:
    """Fetch at most so many rows, always the same ones of the same table."""
    listed = ", ".join(quote_name(name) for name in columns)
    query = f"SELECT {listed} FROM {source} ORDER BY HASH({listed}) LIMIT {rows}"  # noqa: S608 (quoted)
    frame: pd.DataFrame = session.sql(query).to_pandas()
    frame.columns = list(columns)
    return frame


def weeks_of(profile: Profile) -> Mapping[str, Mapping[str, Any]]:
    """Return the segments that are weeks of the reference."""
    return {name: counts for name, counts in profile.counts.items() if name.startswith(WEEK)}


def slices_of(profile: Profile) -> tuple[str, ...]:
    """Return the segments that are slices."""
    return tuple(name for name in profile.counts if name != EVERYTHING and not name.startswith(WEEK))


def _number_bins(name: str, sample: pd.Series[Any], deviation: float, params: MonitorParams) -> ColumnBins:
    values = sample.to_numpy(dtype=float, na_value=float("nan"))
    values = values[np.isfinite(values)]
    if not len(values):
        return ColumnBins(name=name, kind="number", deviation=deviation)
    distinct = np.unique(values)
    if len(distinct) <= params.bins:  # each value has a bin of its own, and so has what lies above them
        edges = [*distinct, np.nextafter(distinct[-1], np.inf)]
    else:
        edges = list(np.unique(np.quantile(values, np.arange(1, params.bins) / params.bins)))
    low, high = np.quantile(values, [_TAIL, 1 - _TAIL])
    return ColumnBins(
        name=name,
        kind="number",
        edges=tuple(float(edge) for edge in edges),
        low=float(low),
        width=float(high - low) / params.fine_bins,
        fine_bins=params.fine_bins,
        deviation=deviation,
    )


def _deviations(session: Session, source: str, names: Sequence[str]) -> dict[str, float]:
    if not names:
        return {}
    values = (f"NULLIF(CAST({quote_name(name)} AS FLOAT), 'NaN'::FLOAT)" for name in names)
    listed = ", ".join(f"STDDEV_POP({value})" for value in values)
    [row] = session.sql(f"SELECT {listed} FROM {source}").collect()  # noqa: S608 (quoted)
    return {name: float(value or 0.0) for name, value in zip(names, row, strict=True)}


def _frequent(session: Session, source: str, name: str, most: int) -> tuple[str, ...]:
    value = f"CAST({quote_name(name)} AS VARCHAR)"
    rows = session.sql(
        f"SELECT {value} AS V, COUNT(*) AS N FROM {source} WHERE {quote_name(name)} IS NOT NULL "  # noqa: S608 (quoted)
        f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {most}"
    ).collect()
    return tuple(str(row[0]) for row in rows)


def _exact(identifier: str) -> str:
    if len(identifier) >= 2 and identifier[0] == identifier[-1] == '"':
        return identifier[1:-1].replace('""', '"')
    return identifier
