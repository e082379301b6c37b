"""What reading staged files gives: a relation, and the records that could not be read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from firnline_sandbox.errors import error

if TYPE_CHECKING:
    from snowflake.connector.errors import ProgrammingError

    from firnline_sandbox.translate.surroundings import Relation

METADATA: Final = "METADATA$"
FILE: Final = '"sf file"'  # the physical column with the number of a row's file
ROW_NUMBER: Final = '"sf row number"'  # the one with its number in that file, from 1
LINE: Final = '"sf line"'  # the one with the line at which a record starts; CSV alone
WIDTH: Final = '"sf width"'  # the one with how many fields a record has; CSV alone


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    """One record that cannot be loaded, and why."""

    message: str
    file: str
    line: int | None = None
    character: int | None = None
    byte_offset: int | None = None
    category: str = "parsing"
    code: int = 100016
    sqlstate: str = "22000"
    column: str | None = None
    row: int | None = None
    row_start_line: int | None = None
    rejected: str | None = None

    def raised(self) -> ProgrammingError:
        """Build the error of a statement that stops at this record."""
        if self.line is None and self.row is None:
            return error(self.code, self.sqlstate, self.message)
        where = f"\n  File '{self.file}', line {self.line}, character {self.character}"
        row = f"\n  Row {self.row}, column {self.column}" if self.column else f"\n  Row {self.row}"
        hint = (
            "\n  If you would like to continue loading when an error is encountered, use other values such as"
            " 'SKIP_FILE' or 'CONTINUE' for the ON_ERROR option."
        )
        return error(self.code, self.sqlstate, self.message + where + row + hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedRows:
    """The rows of some files.

    ``relation`` has the physical columns :data:`FILE` and :data:`ROW_NUMBER` beside those that it lists. ``width`` is
    the number of fields of the widest CSV record; ``headers`` are the names in the first record of CSV files with
    PARSE_HEADER.
    """

    relation: Relation
    errors: tuple[RowError, ...] = ()
    width: int = 1
    headers: tuple[str, ...] | None = None

    def over(self, relation: Relation) -> StagedRows:
        """Give the same rows behind a relation that adds columns."""
        return replace(self, relation=relation)
