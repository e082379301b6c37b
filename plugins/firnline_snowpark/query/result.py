"""The report on a table that a user's query or function made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firnline.domain import Grid, Report, Text
from firnline_snowpark.columns import unquoted

if TYPE_CHECKING:
    from firnline.domain import Section, StepContext, Table


def described(context: StepContext, table: Table, title: str, *sections: Section) -> Report:
    """Return rows, columns and their types, then whatever else there is to say."""
    fields = context.session.table(table.name).schema.fields
    rows = tuple((unquoted(field.name), field.datatype.simple_string()) for field in fields)
    story = Text(body=f"{table.rows or 0:,} rows, {len(rows):,} columns.")
    return Report(
        title=title, sections=(story, Grid(title="Columns", columns=("column", "type"), rows=rows), *sections)
    )
