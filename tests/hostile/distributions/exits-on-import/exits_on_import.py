"""End the interpreter on import."""

from __future__ import annotations

import sys

sys.exit("no licence found")
