"""Need a plugin API that this Firnline does not have."""

from __future__ import annotations

FIRNLINE_API = ">=99"
