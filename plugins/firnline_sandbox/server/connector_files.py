"""PUT and GET of the connector: it moves the files itself, so it is told where a stage's files lie on this disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from firnline_sandbox.result import Result
from firnline_sandbox.stages.locations import list_files, resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from firnline_sandbox.context import Context

_PARALLEL = 4


def transfer_handler(answer: dict[str, Any]) -> Callable[[Context, str], Result]:
    """Make a handler that reads a PUT or GET and fills in the response's data instead of moving files."""

    def handle(context: Context, sql: str) -> Result:
        scanner = context.scanner(sql)
        if scanner.take("PUT"):
            source = scanner.location()
            location = resolve(context, scanner.location(), for_writing=True)
            options = _options(scanner)
            location.folder.mkdir(parents=True, exist_ok=True)
            answer.update(
                command="UPLOAD",
                src_locations=[source.removeprefix("file://")],
                autoCompress=options.get("AUTO_COMPRESS", True) is not False,
                sourceCompression=str(options.get("SOURCE_COMPRESSION", "auto_detect")).lower(),
                overwrite=options.get("OVERWRITE", False) is True,
                stageInfo=_place(str(location.folder)),
                encryptionMaterial=None,
            )
        else:
            scanner.expect("GET")
            location = resolve(context, scanner.location())
            target = scanner.location()
            options = _options(scanner)
            files = list_files(location, options.get("PATTERN"))
            answer.update(
                command="DOWNLOAD",
                src_locations=[file.relative for file in files],
                localLocation=target.removeprefix("file://"),
                stageInfo=_place(str(location.root)),
                presignedUrls=None,
                encryptionMaterial=[None for _ in files],
            )
        answer["parallel"] = _PARALLEL
        return Result.status()

    return handle


def _place(folder: str) -> dict[str, Any]:
    return {"locationType": "LOCAL_FS", "location": folder, "creds": {}}


def _options(scanner: Any) -> dict[str, Any]:
    options: dict[str, Any] = {}
    while not scanner.at_end:
        key = scanner.identifier()
        scanner.expect("=")
        options[key] = scanner.value()
    return options
