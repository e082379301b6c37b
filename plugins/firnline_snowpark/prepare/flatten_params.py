"""Params of ``prepare.flatten``: which paths become columns, which arrays become rows. Light: used while planning."""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias

from pydantic import Field, field_validator, model_validator

from firnline.domain import Params
from firnline_snowpark.prepare.rules import ColumnType

FlatType: TypeAlias = ColumnType | Literal["variant", "size"]
_PART: Final = re.compile(r'(?:^|\.)(?P<key>\w+)|\[(?P<index>\d+)\]|\["(?P<quoted>(?:[^"\\]|\\.)+)"\]')


def path_parts(path: str) -> tuple[str | int, ...]:
    r"""Return the keys and places of a path: ``items[0]["odd key"].sku`` gives items, 0, odd key and sku.

    Raises:
        ValueError: it is none.
    """
    parts: list[str | int] = []
    place = 0
    while place < len(path):
        found = _PART.match(path, place)
        if found is None:
            raise ValueError(
                f'{path!r} is no path, at {path[place:]!r}; write it like device.os, items[0] or ["odd key"]'
            )
        key = found["key"] or re.sub(r"\\(.)", r"\1", found["quoted"] or "")
        parts.append(int(found["index"]) if found["index"] else key)
        place = found.end()
    return tuple(parts)


class _InValue(Params):
    column: str = Field(
        description="A VARIANT, OBJECT or ARRAY column, a text column that holds JSON, or an array's name."
    )
    path: str = Field(
        "", description='Where inside it, e.g. device.os, items[0] or ["odd key"]; empty: the value itself.'
    )

    @field_validator("path")
    @classmethod
    def _is_a_path(cls, path: str) -> str:
        path_parts(path)
        return path


class FlatArray(_InValue):
    """An array each of whose elements becomes a row."""

    keep_empty: bool = Field(True, description="Keep a row where there is no element; its columns are NULL then.")
    index: str | None = Field(None, description="A column for the element's place, from 0.")


class FlatColumn(_InValue):
    """A typed column. Values that are no such type become NULL, are counted, and shown in the report."""

    type: FlatType = Field(
        description="The type of the new column; size is an array's length, variant keeps it as it is."
    )
    formats: tuple[str, ...] = Field(
        (), description="Formats of dates and timestamps to try after the platform's own, e.g. DD.MM.YYYY."
    )

    @model_validator(mode="after")
    def _formats_of_times(self) -> FlatColumn:
        if self.formats and self.type not in {"date", "timestamp"}:
            raise ValueError(f"formats are for dates and timestamps, not for {self.type}")
        return self


class FlattenParams(Params):
    """Semi-structured values become typed columns, and rows where they hold arrays."""

    columns: dict[str, FlatColumn] = Field(min_length=1, description="New column → where its value stands.")
    arrays: dict[str, FlatArray] = Field(
        default_factory=dict,
        description="Name → array whose elements become rows; a later one may name an earlier one as its column.",
    )
    keep: tuple[str, ...] | None = Field(
        None, description="Columns to keep as they are; default: all that are not taken apart here."
    )
    max_failed: float = Field(
        1.0, ge=0, le=1, description="Largest share of a column's values that may not be of its type; more is an error."
    )
