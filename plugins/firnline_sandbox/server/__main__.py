"""``python -m firnline_sandbox.server FOLDER``: hold a sandbox for others, until nobody uses it or somebody ends it."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from firnline_sandbox.engine import SandboxEngine
from firnline_sandbox.locks import SandboxBusyError
from firnline_sandbox.server.presence import living

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOOK_S: Final = 0.5
_EMPTY_LOOKS: Final = 4
BUSY: Final = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Hold the folder; the exit code is 3 if somebody else does."""
    parser = argparse.ArgumentParser(prog="python -m firnline_sandbox.server", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--by-hand", action="store_true", help="stay when nobody uses the sandbox")
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args(arguments)
    end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.set())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        engine = SandboxEngine.open(
            given.folder, timeout_s=0, kind="started" if given.by_hand else "automatic", port=given.port
        )
    except SandboxBusyError:
        return BUSY
    try:
        _hold(engine, end, by_hand=given.by_hand)
    finally:
        engine.close()
    return 0


def _hold(engine: SandboxEngine, end: threading.Event, *, by_hand: bool) -> None:
    listener = engine.listener
    assert listener is not None
    empty = 0
    while not end.wait(_LOOK_S) and not listener.stop_wanted.is_set():
        is_used = by_hand or listener.is_used or bool(living(engine.users))
        empty = 0 if is_used else empty + 1
        if empty >= _EMPTY_LOOKS:
            return


if __name__ == "__main__":
    raise SystemExit(main())
