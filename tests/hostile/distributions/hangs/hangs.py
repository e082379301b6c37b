"""Hang on import, as a plugin does that waits for a service."""

from __future__ import annotations

import threading

threading.Event().wait()
