"""Markers and specifications of Firnline's hooks: the door through which every plugin comes in."""

from firnline.hooks.markers import API_VERSION, hookimpl, hookspec

__all__ = ["API_VERSION", "hookimpl", "hookspec"]
