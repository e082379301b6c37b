"""The statements of functions and procedures: importing this module registers them."""

from firnline_sandbox.functions import alter, call, create, room, show

__all__ = ["alter", "call", "create", "room", "show"]
