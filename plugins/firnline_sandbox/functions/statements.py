"""The statements of functions and procedures: importing this module registers them."""

from firnline_sandbox.functions import alter, call, create, room, show, system

__all__ = ["alter", "call", "create", "room", "show", "system"]
