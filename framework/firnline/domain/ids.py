"""Content hashes and names for runs and attempts."""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import datetime
from typing import Any


def content_hash(data: Any) -> str:
    """Return the SHA-256 of the data's canonical JSON (sorted keys, no spaces), in hexadecimal."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=True)
    return hashlib.sha256(text.encode()).hexdigest()


def new_run_id(now: datetime) -> str:
    """Return an id that sorts by time and does not collide among processes, e.g. ``20261123-141502-9f3a``."""
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def new_attempt_id() -> str:
    """Return a name of one attempt to run a stage: 12 hexadecimal digits, first one a letter."""
    return "a" + secrets.token_hex(6)[1:]
