"""HTTP on a loopback socket: requests within bounds go to a front end, anything else is turned away."""

from __future__ import annotations

import hmac
import itertools
import json
import urllib.parse
import zlib
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from firnline_sandbox.server.host import Host

PARTS_S: Final = 60.0
MOST_BYTES: Final = 512 * 2**20  # of a body as it is sent
MOST_UNPACKED: Final = 2 * 2**30
_BLOCK: Final = 2**20
_numbers: Final = itertools.count(1)


class RefusedError(Exception):
    """A request that no front end gets to see."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a caller wants."""

    method: str
    path: str
    query: dict[str, str]
    token: str
    body: bytes
    caller: int = 0

    def json(self) -> dict[str, Any]:
        """Read the body as a JSON object.

        Raises:
            RefusedError: it is none.
        """
        try:
            document = json.loads(self.body) if self.body else {}
        except ValueError as failure:
            raise RefusedError(400, f"the body is no JSON: {failure}") from failure
        if not isinstance(document, dict):
            raise RefusedError(400, "the body is no JSON object")
        return document

    def has_token(self, wanted: str) -> bool:
        """Compare the caller's token without telling by the time how much of it is right."""
        return hmac.compare_digest(self.token.encode(), wanted.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What a caller gets: bytes, or a part of a file."""

    body: bytes = b""
    status: int = 200
    content_type: str = "application/octet-stream"
    headers: dict[str, str] = field(default_factory=dict)
    file: tuple[Path, int, int] | None = None

    @staticmethod
    def json(document: Any, status: int = 200) -> Response:
        """Answer with JSON."""
        return Response(body=json.dumps(document).encode(), status=status, content_type="application/json")

    @property
    def length(self) -> int:
        """Count the bytes."""
        return self.file[2] if self.file is not None else len(self.body)

    def blocks(self) -> Iterator[bytes]:
        """Give the bytes in pieces."""
        if self.file is None:
            yield self.body
            return
        path, start, left = self.file
        with path.open("rb") as file:
            file.seek(start)
            while left > 0 and (block := file.read(min(left, _BLOCK))):
                left -= len(block)
                yield block


class Caller(BaseHTTPRequestHandler):
    """One connection: any number of requests, one after the other."""

    protocol_version = "HTTP/1.1"
    server_version = "Firnline"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1

    def __init__(self, caller: socket.socket, host: Host) -> None:
        self._host = host
        self._number = next(_numbers)
        super().__init__(caller, caller.getpeername(), None)  # type: ignore[arg-type]  # there is no socketserver

    def do_GET(self) -> None:
        """Answer a GET."""
        self._answer()

    def do_POST(self) -> None:
        """Answer a POST."""
        self._answer()

    def do_PUT(self) -> None:
        """Answer a PUT."""
        self._answer()

    def do_HEAD(self) -> None:
        """Answer a HEAD."""
        self._answer()

    def _answer(self) -> None:
        try:
            response = self._response(self._request())
        except RefusedError as refusal:
            # What is left of the request cannot be told from the next one.
            self.close_connection = True
            response = Response.json(
                {"success": False, "message": str(refusal), "code": None, "data": None}, status=refusal.status
            )
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(response.length))
        for name, value in response.headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            for block in response.blocks():
                self.wfile.write(block)

    def _request(self) -> Request:
        parts = urllib.parse.urlsplit(self.path)
        return Request(
            method=self.command,
            path=parts.path,
            query=dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True)),
            token=_token(self.headers.get("Authorization", "")),
            body=self._body(),
            caller=self._number,
        )

    def handle_one_request(self) -> None:
        """Wait for a request as long as it takes, but not long for its parts."""
        self.connection.settimeout(None)
        self.rfile.peek(1)  # type: ignore[attr-defined]  # it is a BufferedReader
        self.connection.settimeout(PARTS_S)
        super().handle_one_request()

    def finish(self) -> None:
        """Hang up."""
        self._host.connector.hung_up(self._number)
        super().finish()

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding"):
            raise RefusedError(411, "a body needs a Content-Length")
        text = self.headers.get("Content-Length", "0")
        if not text.isascii() or not text.isdigit():
            raise RefusedError(400, "the Content-Length is no number")
        length = int(text)
        if length > MOST_BYTES:
            raise RefusedError(413, f"a body has at most {MOST_BYTES} bytes")
        body = self.rfile.read(length)
        if len(body) < length:
            raise RefusedError(400, "the body was cut off")
        match self.headers.get("Content-Encoding", "identity").lower():
            case "identity" | "":
                return body
            case "gzip":
                return _unpacked(body)
            case other:
                raise RefusedError(415, f"the body's encoding {other!r} is unknown")

    def _response(self, request: Request) -> Response:
        if request.path.startswith("/firnline/v1/"):
            return self._host.private.answer(request)
        return self._host.connector.answer(request)

    def log_message(self, *_: Any) -> None:
        """Say nothing: a holder's terminal belongs to its own work."""


def _token(header: str) -> str:
    """Read ``Snowflake Token="…"`` or ``Bearer …``."""
    kind, _, rest = header.partition(" ")
    match kind.lower():
        case "bearer":
            return rest.strip()
        case "snowflake":
            return rest.strip().removeprefix("Token=").strip('"')
        case _:
            return ""


def _unpacked(body: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(body, MOST_UNPACKED)
    except zlib.error as failure:
        raise RefusedError(400, f"the body is no gzip data: {failure}") from failure
    if not unpacker.eof:
        raise RefusedError(400, "the body's gzip data is cut off, or too long")
    return unpacked
