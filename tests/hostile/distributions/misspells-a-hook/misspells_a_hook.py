"""Offer a hook that does not exist."""

from __future__ import annotations

from firnline.hooks import hookimpl


@hookimpl
def firnline_stepz() -> list[object]:
    return []
