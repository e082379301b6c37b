"""Calling the process that holds a sandbox, whichever that is at the moment."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.server import endpoint, wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from firnline_sandbox.server.endpoint import Endpoint

PATIENCE_S: Final = 120.0  # until a holder answers again
_PAUSE_S: Final = 0.05
_START_S: Final = 60.0
_ALONE_S: Final = 0.3  # how long nobody answers before a process starts a holder
_CONNECT_S: Final = 5.0


class CallFailedError(ConnectionError):
    """Nobody holds the sandbox and answers, or it cannot be known what became of a request."""


class Calls:
    """Connections of this process to the holder, one for each thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._local = threading.local()
        self._lock = threading.Lock()
        self._open: set[http.client.HTTPConnection] = set()
        self._last: Endpoint | None = None

    def hello(self) -> bool:
        """Say whether somebody answers who holds this very sandbox.

        Raises:
            CallFailedError: another version of Firnline holds it.
        """
        try:
            fields, _ = self.once("hello", {})
        except CallFailedError:
            return False
        from firnline_sandbox.server.version import PRIVATE

        if fields.get("version") != PRIVATE:
            raise CallFailedError(f"the sandbox in {self.folder} is held by another version of Firnline")
        return True

    def once(self, verb: str, fields: dict[str, Any]) -> tuple[dict[str, Any], memoryview]:
        """Send a request to whoever holds the sandbox now.

        Raises:
            CallFailedError: nobody answers.
        """
        known = endpoint.read(self.folder)
        if known is None:
            raise CallFailedError(f"nobody holds the sandbox in {self.folder}")
        try:
            return self._post(known, verb, wire.dumps(fields))
        except (OSError, http.client.HTTPException) as failure:
            raise CallFailedError(f"process {known.pid} does not answer for the sandbox: {failure}") from failure

    def repeat(
        self, verb: str, fields: dict[str, Any], *, is_repeatable: bool = True
    ) -> tuple[dict[str, Any], memoryview]:
        """Send a request until a holder answers it; if there is none, start one.

        Raises:
            CallFailedError: nobody answers for long; or the holder went away with a request that must not be repeated.
        """
        started = lonely_since = time.monotonic()
        while True:
            # A holder that leaves cannot be found any more, but lets open transactions end.
            known = self._last if fields.get("in_transaction") and self._last else endpoint.read(self.folder)
            if known is not None:
                try:
                    return self._post(known, verb, wire.dumps(fields), anew=not is_repeatable)
                except _NotSentError:
                    self._last = None
                except (OSError, http.client.HTTPException) as failure:
                    if not is_repeatable:
                        raise CallFailedError(
                            f"process {known.pid}, which held the sandbox, went away while it ran a procedure; "
                            "how far that came is unknown"
                        ) from failure
                    self._last = None
                    fields["again"] = True
            now = time.monotonic()
            if now - started > PATIENCE_S:
                raise CallFailedError(f"nobody has answered for the sandbox in {self.folder} for {PATIENCE_S:g} s")
            if now - lonely_since > _ALONE_S:
                self._start_holder()
                lonely_since = time.monotonic()
            time.sleep(_PAUSE_S)

    def close(self) -> None:
        """Hang up."""
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()

    def _post(
        self, known: Endpoint, verb: str, message: bytes, *, anew: bool = False
    ) -> tuple[dict[str, Any], memoryview]:
        if anew:  # a connection that was idle may be dead, and then nobody could tell whether the request arrived
            self._local.mark = None
        connection = self._connection(known)
        try:
            connection.request(
                "POST", f"/firnline/v1/{verb}", body=message, headers={"Authorization": f"Bearer {known.token}"}
            )
            response = connection.getresponse()
            body = response.read()
        except BaseException:
            self._hang_up(connection)
            raise
        match response.status:
            case 200:
                self._last = known
                return wire.loads(body)
            case 401 | 503:
                self._hang_up(connection)
                raise _NotSentError(f"process {known.pid} holds the sandbox no longer")
            case _:
                self._hang_up(connection)
                raise RuntimeError(f"the sandbox's holder refused {verb}: {body.decode(errors='replace')}")

    def _connection(self, known: Endpoint) -> http.client.HTTPConnection:
        mark = (os.getpid(), known.port, known.token)
        if getattr(self._local, "mark", None) == mark:
            found: http.client.HTTPConnection = self._local.connection
            return found
        made = http.client.HTTPConnection(endpoint.HOST, known.port, timeout=_CONNECT_S)
        try:
            made.connect()
        except OSError as failure:
            raise _NotSentError(str(failure)) from failure
        made.sock.settimeout(None)  # a statement takes as long as it takes
        self._local.mark, self._local.connection = mark, made
        with self._lock:
            self._open.add(made)
        return made

    def _hang_up(self, connection: http.client.HTTPConnection) -> None:
        self._local.mark = None
        with self._lock:
            self._open.discard(connection)
        connection.close()

    def _start_holder(self) -> None:
        """Start a process that holds the sandbox for all its users, unless somebody else is doing so."""
        with _only_one(self.folder / "starting") as is_mine:
            if not is_mine:
                return
            process = subprocess.Popen(  # noqa: S603 (this very interpreter)
                [sys.executable, "-m", "firnline_sandbox.server", str(self.folder)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            deadline = time.monotonic() + _START_S
            while process.poll() is None and time.monotonic() < deadline:
                known = endpoint.read(self.folder)
                if known is not None and known.pid == process.pid:
                    threading.Thread(target=process.wait, daemon=True).start()  # so that it leaves no zombie
                    return
                time.sleep(_PAUSE_S)


class _NotSentError(http.client.HTTPException):
    """The request did not reach a holder that would carry it out."""


@contextlib.contextmanager
def _only_one(path: Path) -> Iterator[bool]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(descriptor)
