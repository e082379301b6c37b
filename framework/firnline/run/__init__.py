"""A plan → events."""

from firnline.run.attempt import StopAsked, Workshop
from firnline.run.execute import Order, execute

__all__ = ["Order", "StopAsked", "Workshop", "execute"]
