"""Fail on import, as a plugin does whose SDK has moved on."""

from __future__ import annotations

raise ImportError("cannot import name 'connect' from 'some_sdk'")
