"""The platform of a plan, opened when it is first needed."""

from __future__ import annotations

import threading
from pathlib import Path

from firnline.domain import Params, Platform, PlatformSpec


class PlatformHandle:
    """Opens the platform when it is first needed, once, from whatever thread."""

    def __init__(self, project: Path) -> None:
        self._project = project
        self._lock = threading.Lock()
        self._platform: Platform | None = None
        self._open: tuple[PlatformSpec, Params] | None = None

    def reach(self, spec: PlatformSpec, params: Params) -> None:
        """Open it now, to find out that it can be reached; another one that was open is closed."""
        if self._open != (spec, params):
            self.close()
            self._open = (spec, params)
        self.get()

    def get(self) -> Platform:
        """Return the opened platform."""
        with self._lock:
            if self._platform is None:
                assert self._open is not None, "a stage uses the platform, so it was reached while checking"
                spec, params = self._open
                self._platform = spec.open(params, self._project)
            return self._platform

    def close(self) -> None:
        """Let go of it, if it was opened."""
        with self._lock:
            platform, self._platform = self._platform, None
        if platform is not None:
            platform.close()
