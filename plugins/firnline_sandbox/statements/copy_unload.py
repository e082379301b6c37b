"""COPY INTO a location: the rows of a table or query become files."""

from __future__ import annotations

import shutil
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.errors import error, invalid_argument, unsupported
from firnline_sandbox.result import Result
from firnline_sandbox.stages.files import UNFINISHED
from firnline_sandbox.stages.formats import find_format
from firnline_sandbox.stages.locations import list_files, resolve
from firnline_sandbox.stages.unloading import Unloader, Written
from firnline_sandbox.statements.fetching import fetch, translate
from firnline_sandbox.statements.scanner import quote_identifier
from firnline_sandbox.types import INTEGER, TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firnline_sandbox.context import Context
    from firnline_sandbox.stages.formats import Format
    from firnline_sandbox.stages.locations import Location
    from firnline_sandbox.statements.scanner import Scanner

PARTITION: Final = "FIRNLINE$PARTITION"
_OPTIONS: Final = {
    "OVERWRITE": False,
    "SINGLE": False,
    "MAX_FILE_SIZE": 16_777_216,
    "INCLUDE_QUERY_ID": False,
    "DETAILED_OUTPUT": False,
    "HEADER": False,
    "VALIDATION_MODE": None,
}
_DEFAULT_COMPRESSION: Final = {"CSV": "GZIP", "JSON": "GZIP", "PARQUET": "SNAPPY"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unload:
    """One ``COPY INTO <location>``."""

    location: str
    query: str
    params: tuple[Any, ...]
    partition: str
    format: object
    options: Mapping[str, Any]


def unload(context: Context, scanner: Scanner) -> Result:
    """Write the rows of a table or query into files."""
    statement = _read(context, scanner)
    place = resolve(context, statement.location, for_writing=True)
    format_ = _format(context, statement, place)
    query = statement.query
    if statement.partition:
        query = f'SELECT *, CAST(({statement.partition}) AS VARCHAR) AS "{PARTITION}" FROM ({query})'  # noqa: S608
    bound = context.with_params(statement.params)
    translated = translate(bound, query)
    if statement.options["VALIDATION_MODE"] is not None:
        return fetch(bound, translated)
    inside, name = _target(statement, place, context.query_id)
    if not (statement.partition or statement.options["OVERWRITE"] is True):
        _require_room(place, inside, name)
    folder = place.root / inside
    if place.bucket is not None:
        folder = place.root / f"{UNFINISHED}{uuid.uuid4().hex}"
    unloader = Unloader(
        format_,
        folder=folder,
        name=name,
        suffix=_suffix(statement, format_),
        most_bytes=None if statement.options["SINGLE"] is True else int(statement.options["MAX_FILE_SIZE"]),
        header=statement.options["HEADER"] is True,
        partitioned=bool(statement.partition),
    )
    written = unloader.write(bound, translated)
    if place.bucket is not None:
        for file in written:
            place.bucket.put(folder / file.name, f"{inside}/{file.name}".lstrip("/"))
        shutil.rmtree(folder, ignore_errors=True)
    return _result(statement, written)


def _read(context: Context, scanner: Scanner) -> Unload:
    location = scanner.location()
    scanner.expect("FROM")
    params: tuple[Any, ...] = ()
    if scanner.sees("("):
        first = scanner.binds_so_far
        query = scanner.balanced()
        params = tuple(context.params[first : scanner.binds_so_far])
    else:
        names = context.qualify(scanner.name())
        query = f"SELECT * FROM {'.'.join(quote_identifier(part) for part in names)}"  # noqa: S608 (quoted)
    partition = ""
    if scanner.take("PARTITION", "BY"):
        partition = scanner.until("FILE_FORMAT", *_OPTIONS)
    given: dict[str, Any] = {}
    while not scanner.at_end:
        key = scanner.identifier()
        if key not in {*_OPTIONS, "FILE_FORMAT"}:
            raise unsupported(f"COPY INTO location option {key}")
        scanner.expect("=")
        given[key] = scanner.option_value()
        scanner.take(",")
    format_ = given.pop("FILE_FORMAT", None)
    options = _OPTIONS | given
    if partition and (options["SINGLE"] is True or options["OVERWRITE"] is True):
        raise invalid_argument("PARTITION BY goes neither with SINGLE nor with OVERWRITE")
    if options["VALIDATION_MODE"] is not None and str(options["VALIDATION_MODE"]).upper() != "RETURN_ROWS":
        raise invalid_argument(f"invalid value '{options['VALIDATION_MODE']}' for VALIDATION_MODE")
    return Unload(location=location, query=query, params=params, partition=partition, format=format_, options=options)


def _format(context: Context, statement: Unload, place: Location) -> Format:
    found = find_format(context, statement.format, place)
    compression = str(found["COMPRESSION"]).upper()
    if compression == "AUTO":
        compression = _DEFAULT_COMPRESSION[found.type]
    if found.type == "CSV" and str(found["ENCODING"]).upper().replace("-", "") != "UTF8":
        raise unsupported(f"unloading with ENCODING = {found['ENCODING']}")
    if found.type == "PARQUET" and found["SNAPPY_COMPRESSION"] is False:
        compression = "NONE"
    return replace(found, options={**found.options, "COMPRESSION": compression})


def _suffix(statement: Unload, format_: Format) -> str:
    """Give what file names end with; a single file has its name from the statement alone."""
    if statement.options["SINGLE"] is True:
        return ""
    packed = {"GZIP": ".gz", "ZSTD": ".zst", "SNAPPY": ".snappy", "NONE": ""}[format_["COMPRESSION"]]
    if format_.type == "PARQUET":
        return f"{packed}.parquet"
    extension = str(format_["FILE_EXTENSION"]).lstrip(".") or format_.type.lower()
    return f".{extension}{packed}"


def _target(statement: Unload, place: Location, query_id: str) -> tuple[str, str]:
    """Give the folder inside of the stage, and what file names start with, before their numbers."""
    if statement.partition or not place.prefix or place.prefix.endswith("/") or place.folder.is_dir():
        inside, last = place.prefix.rstrip("/"), ""
    else:
        inside, _, last = place.prefix.rpartition("/")
    if statement.options["SINGLE"] is True:
        return inside, last or "data"
    name = last.rstrip("_") or "data"
    with_id = statement.partition or statement.options["INCLUDE_QUERY_ID"] is True
    return inside, f"{name}_{query_id}" if with_id else name


def _require_room(place: Location, inside: str, name: str) -> None:
    """Refuse to write beside files of the same names that are there already.

    Raises:
        ProgrammingError: 1062, there are some.
    """
    start = f"{inside}/{name}" if inside else name
    if any(file.relative.startswith(start) for file in list_files(replace(place, prefix=start))):
        raise error(
            1062,
            "22000",
            f"Files already existing at the unload destination: {place.path}. Use overwrite option to force unloading.",
        )


def _result(statement: Unload, written: list[Written]) -> Result:
    if statement.options["DETAILED_OUTPUT"] is True:
        columns = [("FILE_NAME", TEXT), ("FILE_SIZE", INTEGER), ("ROW_COUNT", INTEGER)]
        rows = [(file.name, file.size, file.rows) for file in written]
        return Result.rows(columns, rows)
    totals = (
        sum(file.rows for file in written),
        sum(file.input_bytes for file in written),
        sum(file.size for file in written),
    )
    result = Result.rows([("rows_unloaded", INTEGER), ("input_bytes", INTEGER), ("output_bytes", INTEGER)], [totals])
    result.rows_affected = totals[0]
    return result
