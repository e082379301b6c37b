"""The pluggy markers, and the version of the contract between Firnline and its plugins."""

from __future__ import annotations

from typing import Final

import pluggy

PROJECT: Final = "firnline"
API_VERSION: Final = "1.0"
"""Raised in its first part when a change breaks plugins. A plugin may state what it needs: ``FIRNLINE_API = ">=1,<2"``."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
