"""Stages and file formats: CREATE, PUT, GET, LIST, REMOVE."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from firnline_sandbox.catalog import FileFormat, Stage
from firnline_sandbox.errors import already_exists, error, missing_file, unsupported
from firnline_sandbox.result import Result
from firnline_sandbox.stages.external import check_external
from firnline_sandbox.stages.formats import checked_options, named_format
from firnline_sandbox.stages.locations import list_files, resolve
from firnline_sandbox.stages.transfer import get_files, local_files, local_path, put_file, put_stream
from firnline_sandbox.statements.creation import entry_fields, read_creation, read_tags, replaced, require_schema
from firnline_sandbox.statements.registry import statement
from firnline_sandbox.statements.removal import remove_entry
from firnline_sandbox.types import INTEGER, TEXT

if TYPE_CHECKING:
    from firnline_sandbox.context import Context
    from firnline_sandbox.statements.scanner import Scanner


@statement("CREATE STAGE")
def create_stage(context: Context, sql: str) -> Result:
    """Create an internal or external stage."""
    scanner = context.scanner(sql)
    creation = read_creation(scanner, "STAGE")
    names = context.qualify(creation.parts)
    require_schema(context, names)
    old = replaced(context, Stage, creation, names)
    if old is not None and creation.if_not_exists:
        return Result.status(f"{names[2]} already exists, statement succeeded.")
    if old is not None and not creation.replace:
        raise already_exists(".".join(names))
    options = read_stage_options(context, scanner)
    if old is not None:
        remove_entry(context.transaction, context.engine, old)
    context.catalog.add(Stage(**entry_fields(context, creation, names) | options))
    return Result.status(f"Stage area {names[2]} successfully created.")


def read_stage_options(context: Context, scanner: Scanner) -> dict[str, Any]:
    """Read the options of CREATE STAGE and ALTER STAGE SET."""
    options: dict[str, Any] = {}
    while not scanner.at_end:
        if scanner.sees("WITH", "TAG") or scanner.sees("TAG"):
            scanner.take("WITH")
            scanner.expect("TAG")
            options["tags"] = read_tags(context, scanner)
            continue
        key = scanner.identifier()
        scanner.expect("=")
        match key:
            case "FILE_FORMAT":
                options["file_format"] = _stage_format(context, scanner)
            case "COMMENT":
                options["comment"] = scanner.text()
            case "DIRECTORY":
                options["directory"] = bool(scanner.options_in_parentheses().get("ENABLE", False))
            case "ENCRYPTION":
                scanner.options_in_parentheses()  # files of a sandbox lie on the local disk as they are
            case "URL" | "ENDPOINT":
                options[key.lower()] = scanner.text()
            case "CREDENTIALS":
                options["credentials"] = scanner.options_in_parentheses()
            case "STORAGE_INTEGRATION":
                raise unsupported("CREATE STAGE option STORAGE_INTEGRATION; the sandbox takes CREDENTIALS")
            case _:
                raise unsupported(f"CREATE STAGE option {key}")
        scanner.take(",")
    if options.keys() & {"url", "endpoint", "credentials"}:
        check_external(options.get("url", ""), options.get("credentials", {}), options.get("endpoint", ""))
    return options


def _stage_format(context: Context, scanner: Scanner) -> dict[str, Any]:
    given = scanner.option_value()
    if isinstance(given, str):
        named_format(context, given)
        return {"FORMAT_NAME": given}
    if "FORMAT_NAME" in given:
        named_format(context, str(given["FORMAT_NAME"]))
        return dict(given)
    return checked_options(given)


@statement("CREATE FILE FORMAT")
def create_file_format(context: Context, sql: str) -> Result:
    """Create a named file format."""
    scanner = context.scanner(sql)
    creation = read_creation(scanner, "FILE", "FORMAT")
    names = context.qualify(creation.parts)
    require_schema(context, names)
    old = replaced(context, FileFormat, creation, names)
    if old is not None and creation.if_not_exists:
        return Result.status(f"{names[2]} already exists, statement succeeded.")
    if old is not None and not creation.replace:
        raise already_exists(".".join(names))
    options, comment = read_format_options(scanner)
    if old is not None:
        context.catalog.remove(old)
    fields = entry_fields(context, creation, names) | {"comment": comment}
    context.catalog.add(FileFormat(**fields, options=checked_options(options)))
    return Result.status(f"File format {names[2]} successfully created.")


def read_format_options(scanner: Scanner) -> tuple[dict[str, Any], str]:
    """Read ``KEY = value …`` up to the end; COMMENT apart."""
    options: dict[str, Any] = {}
    while not scanner.at_end:
        key = scanner.identifier()
        scanner.expect("=")
        options[key] = scanner.option_value()
        scanner.take(",")
    return options, str(options.pop("COMMENT", ""))


@statement("PUT", writes=False)
def put(context: Context, sql: str) -> Result:
    """Copy local files, or a stream, into a stage."""
    scanner = context.scanner(sql)
    scanner.expect("PUT")
    uri = scanner.location()
    location = resolve(context, scanner.location(), for_writing=True)
    if location.bucket is not None:
        raise unsupported("PUT into an external stage")
    options = _read_transfer_options(scanner, "PARALLEL", "AUTO_COMPRESS", "SOURCE_COMPRESSION", "OVERWRITE")
    how: dict[str, Any] = {
        "compress": options.get("AUTO_COMPRESS", True) is not False,
        "overwrite": options.get("OVERWRITE", False) is True,
        "compression": str(options.get("SOURCE_COMPRESSION", "AUTO_DETECT")).upper(),
    }
    if context.file_stream is not None:
        uploads = [put_stream(context.file_stream, Path(local_path(uri)).name, location, **how)]
    else:
        uploads = [put_file(path, location, **how) for path in local_files(uri)]
    columns = [
        ("source", TEXT),
        ("target", TEXT),
        ("source_size", INTEGER),
        ("target_size", INTEGER),
        ("source_compression", TEXT),
        ("target_compression", TEXT),
        ("status", TEXT),
        ("message", TEXT),
    ]
    rows = [
        (
            upload.source,
            upload.target,
            upload.source_size,
            upload.target_size,
            upload.source_compression,
            upload.target_compression,
            upload.status,
            "",
        )
        for upload in uploads
    ]
    return Result.rows(columns, rows)


@statement("GET", writes=False)
def get(context: Context, sql: str) -> Result:
    """Copy files of a stage into a local folder."""
    scanner = context.scanner(sql)
    scanner.expect("GET")
    location = resolve(context, scanner.location())
    folder = Path(local_path(scanner.location()))
    options = _read_transfer_options(scanner, "PARALLEL", "PATTERN")
    if not folder.is_dir():
        raise missing_file(str(folder))
    if location.bucket is not None:
        raise unsupported("GET from an external stage")
    files = list_files(location, options.get("PATTERN"))
    if not files:
        raise error(253006, "22000", "While getting file(s) there was an error: 'the file does not exist'.")
    columns = [("file", TEXT), ("size", INTEGER), ("status", TEXT), ("message", TEXT)]
    rows = [(name, size, "DOWNLOADED", "") for name, size in get_files(files, location, folder)]
    return Result.rows(columns, rows)


def _read_transfer_options(scanner: Scanner, *known: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    while not scanner.at_end:
        key = scanner.identifier()
        if key not in known:
            raise unsupported(f"file transfer option {key}")
        scanner.expect("=")
        options[key] = scanner.value()
    return options


@statement("LIST", "LS", writes=False)
def list_stage(context: Context, sql: str) -> Result:
    """List the files at a location."""
    scanner = context.scanner(sql)
    scanner.position += 1
    location = resolve(context, scanner.location())
    pattern = _read_pattern(scanner)
    columns = [("name", TEXT), ("size", INTEGER), ("md5", TEXT), ("last_modified", TEXT)]
    files = list_files(location, pattern)
    return Result.rows(columns, [(file.name, file.size, file.md5, file.last_modified) for file in files])


@statement("REMOVE", "RM", writes=False)
def remove(context: Context, sql: str) -> Result:
    """Remove the files at a location."""
    scanner = context.scanner(sql)
    scanner.position += 1
    location = resolve(context, scanner.location(), for_writing=True)
    pattern = _read_pattern(scanner)
    rows = []
    for file in list_files(location, pattern):
        file.remove()
        rows.append((file.name, "removed"))
    return Result.rows([("name", TEXT), ("result", TEXT)], rows)


def _read_pattern(scanner: Scanner) -> str | None:
    pattern = None
    if scanner.take("PATTERN"):
        scanner.expect("=")
        pattern = scanner.text()
    scanner.expect_end()
    return pattern
