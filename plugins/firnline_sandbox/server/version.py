"""The version of what Firnline's own processes say to each other."""

from __future__ import annotations

from typing import Final

PRIVATE: Final = 1
