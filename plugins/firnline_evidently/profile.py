"""A table's distributions as counts: what is kept of a reference, and what is made of the current rows."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

ColumnKind: TypeAlias = Literal["number", "category"]

EVERYTHING = ""  # the segment of all rows
FORMAT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnBins:
    """How a column's values are put into bins; decided by the reference, once.

    Attributes:
        name: the column's exact name.
        kind: numbers have ordered bins, categories do not.
        edges: between the bins of numbers, ascending; n edges make n + 1 bins, each from its lower edge on.
        low: where the fine bins begin; what lies below counts in the first one.
        width: of a fine bin, in the column's unit; 0 if the reference has a single value.
        fine_bins: how many of them there are.
        deviation: the reference's standard deviation.
        categories: the most frequent texts; everything else is counted together, in a bin after them.
    """

    name: str
    kind: ColumnKind
    edges: tuple[float, ...] = ()
    low: float = 0.0
    width: float = 0.0
    fine_bins: int = 0
    deviation: float = 0.0
    categories: tuple[str, ...] = ()

    @property
    def high(self) -> float:
        """The value from which on everything is in the last fine bin, in the column's unit."""
        return self.low + self.width * self.fine_bins

    @property
    def labels(self) -> tuple[str, ...]:
        """What each bin holds, for readers."""
        if self.kind == "category":
            return (*self.categories, "(others)")
        if not self.edges:
            return ("all",)
        inner = (f"{_short(a)} to {_short(b)}" for a, b in zip(self.edges, self.edges[1:], strict=False))
        return (f"below {_short(self.edges[0])}", *inner, f"from {_short(self.edges[-1])}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnCounts:
    """How many rows are in each bin.

    Attributes:
        rows: of the segment, those without a value too.
        missing: rows without a value (NULL, or NaN).
        bins: as :attr:`ColumnBins.labels` names them.
        fine: bins of equal width; empty for categories.
    """

    rows: int
    missing: int
    bins: tuple[int, ...]
    fine: tuple[int, ...] = ()

    @property
    def missing_share(self) -> float:
        """The share of rows without a value."""
        return self.missing / self.rows if self.rows else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """Pearson's correlation of two columns over the rows that have both; None if one of them never varies there."""

    first: str
    second: str
    value: float | None
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Bins and counts of a table.

    Attributes:
        columns: how each column is put into bins, in the table's order.
        counts: segment → column → counts. A segment is :data:`EVERYTHING`, ``COLUMN=value`` of a slice, or a week.
        correlations: of the pairs of columns that are watched.
        settings: of the params, what the bins and segments depend on: profiles of other settings are not comparable.
    """

    columns: tuple[ColumnBins, ...]
    counts: dict[str, dict[str, ColumnCounts]]
    settings: dict[str, Any]
    correlations: tuple[Correlation, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows were counted."""
        return max((counts.rows for counts in self.counts[EVERYTHING].values()), default=0)

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return {"format": FORMAT} | plain

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Profile:
        """Rebuild what :meth:`to_json` returned."""
        columns = tuple(
            ColumnBins(**column | {name: tuple(column[name]) for name in ("edges", "categories")})
            for column in data["columns"]
        )
        counts = {
            segment: {
                column: ColumnCounts(**found | {name: tuple(found[name]) for name in ("bins", "fine")})
                for column, found in of_columns.items()
            }
            for segment, of_columns in data["counts"].items()
        }
        correlations = tuple(Correlation(**found) for found in data["correlations"])
        return cls(columns=columns, counts=counts, settings=data["settings"], correlations=correlations)


def _short(value: float) -> str:
    return f"{value:.4g}"
