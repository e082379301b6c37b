"""The table function INFER_SCHEMA."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.errors import error, invalid_argument
from firnline_sandbox.result import Result
from firnline_sandbox.stages.formats import find_format
from firnline_sandbox.stages.inference import Inferred, infer
from firnline_sandbox.stages.locations import list_files, resolve
from firnline_sandbox.statements.registry import table_function
from firnline_sandbox.statements.table_functions import relation_of_result
from firnline_sandbox.types import BOOLEAN, INTEGER, TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firnline_sandbox.context import Context
    from firnline_sandbox.stages.files import StagedFile
    from firnline_sandbox.stages.locations import Location
    from firnline_sandbox.translate.surroundings import Relation

_ARGUMENTS: Final = frozenset(
    {"LOCATION", "FILE_FORMAT", "FILES", "IGNORE_CASE", "MAX_FILE_COUNT", "MAX_RECORDS_PER_FILE", "KIND"}
)
_COLUMNS: Final = [
    ("COLUMN_NAME", TEXT),
    ("TYPE", TEXT),
    ("NULLABLE", BOOLEAN),
    ("EXPRESSION", TEXT),
    ("FILENAMES", TEXT),
    ("ORDER_ID", INTEGER),
]


@table_function("INFER_SCHEMA")
def infer_schema(context: Context, arguments: Sequence[Any], named: Mapping[str, Any]) -> Relation:
    """Guess the columns of staged files.

    Raises:
        ProgrammingError: 1015, an argument is missing or unknown.
    """
    if unknown := sorted(named.keys() - _ARGUMENTS):
        raise invalid_argument(f"function INFER_SCHEMA has no argument {unknown[0]}")
    if arguments or not {"LOCATION", "FILE_FORMAT"} <= named.keys():
        raise invalid_argument("function INFER_SCHEMA needs LOCATION => ... and FILE_FORMAT => ...")
    place = resolve(context, str(named["LOCATION"]))
    format_ = find_format(context, str(named["FILE_FORMAT"]), place)
    files = list_files(place)
    if (wanted := named.get("FILES")) is not None:
        files = _named(place, files, wanted if isinstance(wanted, list | tuple) else [wanted])
    if (most := named.get("MAX_FILE_COUNT")) is not None:
        files = files[: int(most)]
    limit = named.get("MAX_RECORDS_PER_FILE")
    found = infer(files, format_, None if limit is None else int(limit))
    ignore_case = named.get("IGNORE_CASE") is True
    rows = [_row(column, index, ignore_case=ignore_case) for index, column in enumerate(found)]
    return relation_of_result(context, Result.rows(_COLUMNS, rows))


def _named(place: Location, files: Sequence[StagedFile], names: Sequence[Any]) -> list[StagedFile]:
    base = place.prefix.rstrip("/") + "/" if place.prefix else ""
    known = {file.relative.removeprefix(base): file for file in files}
    if missing := [str(name) for name in names if str(name) not in known]:
        raise error(91016, "22000", f"Remote file '{place.path.rstrip('/')}/{missing[0]}' was not found.")
    return [known[str(name)] for name in names]


def _row(column: Inferred, index: int, *, ignore_case: bool) -> tuple[Any, ...]:
    name, expression = column.name, column.expression
    if ignore_case:
        if ":" in expression:
            quoted = name.replace("'", "''")
            expression = f"GET_IGNORE_CASE ($1, '{quoted}')"
        name = name.upper()
    return (
        name,
        column.type,
        column.nullable,
        f"{expression}::{column.type}",
        ", ".join(column.files),
        index,
    )
