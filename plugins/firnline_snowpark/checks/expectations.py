"""Params of the checks: what can be expected of a table, one model for each kind of expectation."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from firnline.domain import Params

Bound: TypeAlias = int | float | dt.date


class _Expectation(Params):
    severity: Literal["error", "warning"] = Field(
        default="error", description="error stops the pipeline; warning is reported only"
    )


class _RowExpectation(_Expectation):
    tolerance: float = Field(default=0.0, ge=0.0, lt=1.0, description="share of rows that may fail")


class NotNull(_RowExpectation):
    """Each row has a value."""

    kind: Literal["not_null"]
    column: str = Field(description="the column")


class Unique(_RowExpectation):
    """No two rows have the same values; rows with a NULL among them are left alone."""

    kind: Literal["unique"]
    columns: tuple[str, ...] = Field(min_length=1, description="the columns that together tell a row apart")


class Between(_RowExpectation):
    """Each value lies in a range; NULL passes."""

    kind: Literal["between"]
    column: str = Field(description="the column")
    low: Bound | None = Field(default=None, description="smallest allowed value")
    high: Bound | None = Field(default=None, description="largest allowed value")

    @model_validator(mode="after")
    def _has_a_bound(self) -> Between:
        if self.low is None and self.high is None:
            raise ValueError("between needs low, high or both")
        return self


class InSet(_RowExpectation):
    """Each value is one of a set; NULL passes."""

    kind: Literal["in_set"]
    column: str = Field(description="the column")
    values: tuple[str | int | float | bool, ...] = Field(min_length=1, description="the allowed values")


class Matches(_RowExpectation):
    """Each value, as text, matches a regular expression from start to end; NULL passes."""

    kind: Literal["regex"]
    column: str = Field(description="the column")
    pattern: str = Field(min_length=1, description="a regular expression of the platform")


class Condition(_RowExpectation):
    """A condition in SQL is not false; NULL passes."""

    kind: Literal["condition"]
    sql: str = Field(min_length=1, description="a boolean SQL expression over the table's columns")


class RowCount(_Expectation):
    """The table has a number of rows."""

    kind: Literal["row_count"]
    low: int | None = Field(default=1, ge=0, description="at least so many")
    high: int | None = Field(default=None, ge=0, description="at most so many")


RowExpectation: TypeAlias = NotNull | Unique | Between | InSet | Matches | Condition
Expectation: TypeAlias = Annotated[RowExpectation | RowCount, Field(discriminator="kind")]
Expectations: TypeAlias = dict[str, Expectation]


class _Keep(Params):
    keep_rows: int = Field(
        default=10_000, ge=0, le=1_000_000, description="of each failed expectation, at most so many rows are kept"
    )


class CheckTableParams(_Keep):
    """What is expected of one table."""

    expect: Expectations = Field(default_factory=dict, description="name → expectation")


class ExpectParams(_Keep):
    """What is expected of each of the three tables of a subscription business."""

    customers: Expectations = Field(default_factory=dict, description="name → expectation of the customers")
    events: Expectations = Field(default_factory=dict, description="name → expectation of the usage events")
    tickets: Expectations = Field(default_factory=dict, description="name → expectation of the support tickets")
