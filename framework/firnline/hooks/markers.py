"""The pluggy markers, and the version of the contract between Firnline and its plugins."""

from __future__ import annotations

from typing import Final

import pluggy

PROJECT: Final = "firnline"
API_VERSION: Final = "1.0"
"""Its first part is raised when a change breaks plugins; a plugin may state ``FIRNLINE_API = ">=1,<2"``."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
