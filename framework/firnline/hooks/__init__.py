"""Markers and specifications of Firnline's hooks: the door through which every plugin comes in."""

from firnline.hooks.markers import API_VERSION, hookimpl, hookspec
from firnline.hooks.specs import CommandSpec

__all__ = ["API_VERSION", "CommandSpec", "hookimpl", "hookspec"]
