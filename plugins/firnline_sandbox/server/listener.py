"""The holder's open ear: a loopback socket and a thread that waits. Everything else is loaded when somebody calls."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import secrets
import socket
import threading
from typing import TYPE_CHECKING, Final

from firnline_sandbox.server.endpoint import HOST, Endpoint

if TYPE_CHECKING:
    from firnline_sandbox.engine import SandboxEngine
    from firnline_sandbox.server.endpoint import Kind
    from firnline_sandbox.server.host import Host

_JOIN_S: Final = 5.0
_MOST_CALLERS: Final = 512  # connections at one time; a Hydra multirun or a test suite needs a few dozen


class Listener:
    """Takes connections for an engine until it is stopped."""

    def __init__(self, engine: SandboxEngine, *, kind: Kind = "process", port: int = 0) -> None:
        self._engine = engine
        self._socket = socket.create_server((HOST, port), backlog=128)
        self.endpoint = Endpoint(
            pid=os.getpid(),
            port=self._socket.getsockname()[1],
            token=secrets.token_urlsafe(32),
            since=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            kind=kind,
        )
        self._host: Host | None = None
        self._lock = threading.Lock()
        self._callers: dict[socket.socket, threading.Thread] = {}
        self._stopped = False
        self.stop_wanted = threading.Event()
        """Set when somebody asked for the end of a server that was started for this purpose."""
        self.endpoint.write(engine.folder)
        self._thread = threading.Thread(target=self._accept, name="firnline-sandbox-listener", daemon=True)
        self._thread.start()

    @property
    def is_used(self) -> bool:
        """Say whether clients that logged in have sessions."""
        return self._host is not None and self._host.is_used

    def stop(self) -> None:
        """Finish what others have running here, then take no more calls."""
        self.endpoint.withdraw(self._engine.folder)
        with self._lock:
            host = self._host
        if host is not None:
            host.drain()
        self._stopped = True
        with contextlib.suppress(OSError):  # nobody is connected to a listening socket, and yet this wakes its thread
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        with self._lock:
            callers = dict(self._callers)
        for caller in callers:
            with contextlib.suppress(OSError):  # it may have hung up just now
                caller.shutdown(socket.SHUT_RDWR)
        for thread in [*callers.values(), self._thread]:
            thread.join(_JOIN_S)
        if host is not None:
            host.close()

    def forget(self) -> None:
        """Close the sockets in a forked child: they are its parent's."""
        self._socket.close()
        for caller in self._callers:
            caller.close()

    def _accept(self) -> None:
        while not self._stopped:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return  # stopped
            with self._lock:
                if len(self._callers) >= _MOST_CALLERS or self._stopped:
                    caller.close()
                    continue
                thread = threading.Thread(
                    target=self._serve, args=(caller,), name="firnline-sandbox-caller", daemon=True
                )
                self._callers[caller] = thread
            try:
                thread.start()
            except RuntimeError:  # the interpreter is about to end, and callers find somebody else
                self._hang_up(caller)

    def _serve(self, caller: socket.socket) -> None:
        from firnline_sandbox.server.host import Host
        from firnline_sandbox.server.web import Caller

        with self._lock:
            if self._host is None:
                self._host = Host(self._engine, self.endpoint, self.stop_wanted)
            host = self._host
        try:
            Caller(caller, host)
        except (OSError, ValueError):
            pass  # it hung up, or sent what is no HTTP
        finally:
            self._hang_up(caller)

    def _hang_up(self, caller: socket.socket) -> None:
        with self._lock:
            self._callers.pop(caller, None)
        caller.close()
