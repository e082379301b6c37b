"""PUT and GET of the connector, which moves files itself: it is told where they lie on this disk.

The connector writes file by file in place, and over files that are there. So a PUT of files is carried out here, as
whole files and with OVERWRITE obeyed, and the connector's own copies go into a folder that nobody reads. What comes
from a stream is in the client's memory alone: that the connector writes into the stage.
"""

from __future__ import annotations

import glob
from typing import TYPE_CHECKING, Any

from firnline_sandbox.errors import unsupported
from firnline_sandbox.result import Result
from firnline_sandbox.stages.locations import list_files, resolve
from firnline_sandbox.statements.stage import put

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from firnline_sandbox.context import Context

_PARALLEL = 4


def transfer_handler(answer: dict[str, Any], unread: Path) -> Callable[[Context, str], Result]:
    """Make a handler that fills in the response's data for a PUT or GET; what goes to ``unread`` is not needed."""

    def handle(context: Context, sql: str) -> Result:
        if context.scanner(sql).take("PUT"):
            answer.update(_upload(context, sql, unread))
        else:
            answer.update(_download(context, sql))
        answer["parallel"] = _PARALLEL
        return Result.status()

    return handle


def _upload(context: Context, sql: str, unread: Path) -> dict[str, Any]:
    scanner = context.scanner(sql)
    scanner.expect("PUT")
    uri = scanner.location()
    location = resolve(context, scanner.location(), for_writing=True)
    if location.bucket is not None:
        raise unsupported("PUT into an external stage")
    options = _options(scanner)
    source = uri.removeprefix("file://")
    folder = location.folder
    # A relative path is one of the client's working folder, which is not known here.
    if source.startswith("/") and glob.glob(source):  # noqa: PTH207 (an absolute pattern)
        put(context, sql)
        folder = unread
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "command": "UPLOAD",
        "src_locations": [source],
        "autoCompress": options.get("AUTO_COMPRESS", True) is not False,
        "sourceCompression": str(options.get("SOURCE_COMPRESSION", "auto_detect")).lower(),
        "overwrite": options.get("OVERWRITE", False) is True,
        "stageInfo": _place(str(folder)),
        "encryptionMaterial": None,
    }


def _download(context: Context, sql: str) -> dict[str, Any]:
    scanner = context.scanner(sql)
    scanner.expect("GET")
    location = resolve(context, scanner.location())
    if location.bucket is not None:
        raise unsupported("GET from an external stage over HTTP")
    target = scanner.location()
    files = list_files(location, _options(scanner).get("PATTERN"))
    return {
        "command": "DOWNLOAD",
        "src_locations": [file.relative for file in files],
        "localLocation": target.removeprefix("file://"),
        "stageInfo": _place(str(location.root)),
        "presignedUrls": None,
        "encryptionMaterial": [None for _ in files],
    }


def _place(folder: str) -> dict[str, Any]:
    return {"locationType": "LOCAL_FS", "location": folder, "creds": {}}


def _options(scanner: Any) -> dict[str, Any]:
    options: dict[str, Any] = {}
    while not scanner.at_end:
        key = scanner.identifier()
        scanner.expect("=")
        options[key] = scanner.value()
    return options
