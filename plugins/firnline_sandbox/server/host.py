"""What a holder does for others: their sessions, who of them is alive, and leaving without breaking off their work."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from firnline_sandbox.catalog.snapshot import user_of
from firnline_sandbox.server import presence, spool
from firnline_sandbox.server.connector import ConnectorFront
from firnline_sandbox.server.gate import Gate
from firnline_sandbox.server.private import PrivateFront
from firnline_sandbox.statements.removal import remove_temporary_objects

if TYPE_CHECKING:
    from firnline_sandbox.engine import SandboxEngine
    from firnline_sandbox.server.endpoint import Endpoint

WATCH_S: Final = 0.5
FINISH_S: Final = 10.0  # a statement that takes longer is broken off and carried out again by the next holder
TRANSACTION_S: Final = 60.0  # an open transaction cannot be moved, so it is given this long to end
_POLL_S: Final = 0.02


class Host:
    """Both front ends of one engine."""

    def __init__(self, engine: SandboxEngine, endpoint: Endpoint, stop_wanted: threading.Event) -> None:
        self.engine = engine
        self.endpoint = endpoint
        self.stop_wanted = stop_wanted
        self.gate = Gate()
        spool.sweep(engine.folder)
        self.private = PrivateFront(self)
        self.connector = ConnectorFront(self)
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="firnline-sandbox-watcher", daemon=True)
        self._watcher.start()

    @property
    def is_used(self) -> bool:
        """Say whether clients that logged in have sessions."""
        return self.connector.count > 0

    def drain(self) -> None:
        """Finish what is running for others and end their open transactions, then refuse everything."""
        self.gate.close()
        started = time.monotonic()
        while self.gate.count or self.private.open_transactions():
            waited = time.monotonic() - started
            if waited > FINISH_S:
                self.private.break_off(all_of_them=waited > TRANSACTION_S)
                self.connector.break_off()
            if waited > TRANSACTION_S + FINISH_S:
                break
            time.sleep(_POLL_S)
        self.private.let_go()
        self.connector.close()

    def close(self) -> None:
        """Stop watching."""
        self._ended.set()
        self._watcher.join()

    def _watch(self) -> None:
        """End the sessions of processes that died, so that they keep nobody waiting."""
        while not self._ended.wait(WATCH_S):
            if self.gate.is_closed:
                return
            living = presence.living(self.engine.users)
            self.private.end_sessions_but(living)
            self.connector.end_idle_sessions()
            left = {entry.session for entry in self.engine.catalog if entry.session is not None}
            for session in left:
                if not self.gate.is_closed and user_of(session) and user_of(session) not in living:
                    remove_temporary_objects(self.engine, session)
