"""Sizes of warehouses, and what they cost in credits an hour."""

from __future__ import annotations

from typing import Final

# https://docs.snowflake.com/en/user-guide/warehouses-overview: each size costs twice what the one before it costs.
CREDITS_PER_HOUR: Final = {
    "X-Small": 1,
    "Small": 2,
    "Medium": 4,
    "Large": 8,
    "X-Large": 16,
    "2X-Large": 32,
    "3X-Large": 64,
    "4X-Large": 128,
    "5X-Large": 256,
    "6X-Large": 512,
}
LEAST_SECONDS: Final = 60  # are billed each time that a warehouse starts

_SPELLINGS: Final = {
    "XSMALL": "X-Small",
    "SMALL": "Small",
    "MEDIUM": "Medium",
    "LARGE": "Large",
    "XLARGE": "X-Large",
    "XXLARGE": "2X-Large",
    "X2LARGE": "2X-Large",
    "2XLARGE": "2X-Large",
    "XXXLARGE": "3X-Large",
    "X3LARGE": "3X-Large",
    "3XLARGE": "3X-Large",
    "X4LARGE": "4X-Large",
    "4XLARGE": "4X-Large",
    "X5LARGE": "5X-Large",
    "5XLARGE": "5X-Large",
    "X6LARGE": "6X-Large",
    "6XLARGE": "6X-Large",
}


def size_named(text: str) -> str | None:
    """Give the size that WAREHOUSE_SIZE means, as SHOW WAREHOUSES spells it; None if there is none."""
    return _SPELLINGS.get(text.upper().replace("-", ""))
