"""Params of ``ingest.table`` and the state of the table it reads. Light: imported while planning."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from pydantic import Field, field_validator, model_validator

from firnline.domain import Params
from firnline_snowpark.literals import literal

if TYPE_CHECKING:
    from firnline.domain import SourceContext

_PART: Final = r'(?:[A-Za-z_][A-Za-z0-9_$]*|"(?:[^"]|"")+")'
NAME: Final = rf"^{_PART}(?:\.{_PART}){{0,2}}$"


class Past(Params):
    """A moment of Time Travel: one of a time, a number of seconds ago, and a statement."""

    timestamp: dt.datetime | None = Field(
        None, description="The table as it was at this time; without a zone it is taken for UTC."
    )
    seconds_ago: int | None = Field(
        None, ge=1, description="As it was so many seconds before the stage runs, which is another table each time."
    )
    statement: str | None = Field(None, pattern=r"^[0-9A-Za-z-]+$", description="As it was after this query id.")
    before: bool = Field(False, description="With a statement: as it was before it.")

    @model_validator(mode="after")
    def _one_of_them(self) -> Past:
        if sum(value is not None for value in (self.timestamp, self.seconds_ago, self.statement)) != 1:
            raise ValueError("say one of timestamp, seconds_ago and statement")
        if self.before and self.statement is None:
            raise ValueError("before goes with a statement")
        return self

    def sql(self) -> str:
        """Return the clause that follows a table's name."""
        if self.statement is not None:
            return f"{'BEFORE' if self.before else 'AT'}(STATEMENT => {literal(self.statement)})"
        if self.seconds_ago is not None:
            return f"AT(OFFSET => -{self.seconds_ago})"
        return f"AT(TIMESTAMP => {literal(_with_zone(self.timestamp).isoformat())}::TIMESTAMP_TZ)"


def _with_zone(timestamp: dt.datetime | None) -> dt.datetime:
    assert timestamp is not None
    return timestamp if timestamp.tzinfo is not None else timestamp.replace(tzinfo=dt.UTC)


class TableParams(Params):
    """Which table is read: one of the platform's own, or of a share that is mounted there."""

    table: str = Field(
        pattern=NAME,
        description="Its name as SQL writes it, for example SALES.PUBLIC.ORDERS; quotes where it needs them.",
    )
    columns: tuple[str, ...] | None = Field(None, min_length=1, description="Columns to take; default: all.")
    filter: str | None = Field(None, min_length=1, description="A condition in SQL that rows must meet.")
    at: Past | None = Field(None, description="Time Travel: the table as it was.")
    copy_rows: bool = Field(
        True,
        description="Copy the rows, so that later stages all see the same ones; false hands on the table itself, "
        "which somebody may change while the pipeline runs.",
    )

    @field_validator("columns")
    @classmethod
    def _each_once(cls, columns: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if repeated := sorted({name for name in columns or () if (columns or ()).count(name) > 1}):
            raise ValueError(f"{repeated[0]!r} is named twice")
        return columns

    @model_validator(mode="after")
    def _copied_where_it_must_be(self) -> TableParams:
        if not self.copy_rows and (self.columns is not None or self.filter is not None or self.at is not None):
            raise ValueError("columns, filter and at need copy_rows: true")
        return self


def table_state(params: TableParams, context: SourceContext) -> str:
    """Return the table's last change; of a fixed moment in the past, that moment, for the past does not change."""
    if params.at is None:
        return context.open_platform().table_state(params.table)
    if params.at.seconds_ago is not None:
        moment = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=params.at.seconds_ago)
        return f"as of {moment.isoformat()}"
    return params.at.sql()
