"""COPY FILES: files from one stage into another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firnline_sandbox.errors import error, unsupported
from firnline_sandbox.result import Result
from firnline_sandbox.stages.locations import list_files, resolve
from firnline_sandbox.stages.transfer import write_whole
from firnline_sandbox.statements.registry import statement
from firnline_sandbox.types import INTEGER, TEXT

if TYPE_CHECKING:
    from firnline_sandbox.context import Context


@statement("COPY FILES INTO", writes=False)
def copy_files(context: Context, sql: str) -> Result:
    """Copy files as they are; each appears at its target whole or not at all."""
    scanner = context.scanner(sql)
    scanner.expect("COPY", "FILES", "INTO")
    target = resolve(context, scanner.location(), for_writing=True)
    scanner.expect("FROM")
    if scanner.sees("("):
        raise unsupported("COPY FILES from a query")
    source = resolve(context, scanner.location())
    names: list[str] | None = None
    pattern: str | None = None
    detailed = True
    while not scanner.at_end:
        key = scanner.identifier()
        scanner.expect("=")
        match key:
            case "FILES":
                names = [str(name) for name in scanner.items(scanner.text)]
            case "PATTERN":
                pattern = scanner.text()
            case "DETAILED_OUTPUT":
                detailed = scanner.value() is True
            case _:
                raise unsupported(f"COPY FILES option {key}")
    base = source.prefix if source.prefix.endswith("/") or not source.prefix else f"{source.prefix}/"
    found = {file.relative.removeprefix(base): file for file in list_files(source, pattern)}
    if source.prefix in found:  # the location names one file
        found = {source.prefix.rpartition("/")[2]: found[source.prefix]}
    if missing := [name for name in names or () if name not in found]:
        raise error(91016, "22000", f"Remote file '{source.path.rstrip('/')}/{missing[0]}' was not found.")
    copied = []
    for name, file in found.items():
        if names is None or name in names:
            with file.path.open("rb") as stream:
                write_whole(stream, target.folder / name)
            copied.append((f"{target.prefix.rstrip('/')}/{name}".lstrip("/"),))
    return Result.rows([("file", TEXT)], copied) if detailed else Result.rows([("files", INTEGER)], [(len(copied),)])
