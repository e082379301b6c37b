"""Params of the cleaning steps: what a clean table looks like."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from firnline.domain import Params

ColumnType: TypeAlias = Literal["text", "integer", "number", "boolean", "date", "timestamp"]


class Cast(Params):
    """The type that a column gets. Values that do not fit become NULL and are counted."""

    type: ColumnType = Field(description="the new type; number is a floating-point number")
    formats: tuple[str, ...] = Field(
        default=(), description="date and timestamp formats to try after the platform's own, e.g. DD.MM.YYYY"
    )


class Extract(Params):
    """A typed column taken out of a VARIANT column. Malformed values become NULL and are counted."""

    column: str = Field(description="the VARIANT column")
    path: str = Field(pattern=r"^\w+(\.\w+|\[\d+\])*$", description="path inside the value, e.g. device.os or items[0]")
    type: ColumnType | Literal["size"] = Field(description="type of the new column; size is an array's length")


class TableRules(Params):
    """What is done to one table, in this order: trim, cast, extract, fill, require, deduplicate, drop."""

    trim: bool = Field(default=True, description="strip text columns; empty text becomes NULL")
    lower: tuple[str, ...] = Field(default=(), description="text columns that become lower case")
    casts: dict[str, Cast] = Field(default_factory=dict, description="column → type")
    extract: dict[str, Extract] = Field(default_factory=dict, description="new column → where its value stands")
    fill: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="column → value that takes the place of NULL"
    )
    required: tuple[str, ...] = Field(default=(), description="rows without a value in one of these are removed")
    keys: tuple[str, ...] = Field(default=(), description="columns that tell a row apart: of equal ones, one is kept")
    order_by: str | None = Field(default=None, description="which of the duplicates is kept: the first by this column")
    keep: Literal["first", "last"] = Field(default="first", description="first or last by order_by")
    drop: tuple[str, ...] = Field(default=(), description="columns to leave out of the result")


class CleanTableParams(Params):
    """Rules for one table."""

    rules: TableRules = Field(default_factory=TableRules, description="what is done to the table")


class CleanParams(Params):
    """Rules for each of the three tables of a subscription business."""

    customers: TableRules = Field(default_factory=TableRules, description="what is done to the customers")
    events: TableRules = Field(default_factory=TableRules, description="what is done to the usage events")
    tickets: TableRules = Field(default_factory=TableRules, description="what is done to the support tickets")
