"""How numbers, times and foreign text are written wherever a person reads them."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

_SECONDS_A_MINUTE = 60
_SECONDS_AN_HOUR = 3_600
_UNSAFE = frozenset({"Cc", "Cs"})
# Characters that turn the direction of text around can make a name look like another one.
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def printable(text: object) -> str:
    """Return text in which control characters stand as escapes, so that data cannot steer a terminal or a page.

    Line breaks and tabs stay; everything else that would not be seen, or would change what is seen, is spelt out.
    """
    text = str(text)
    if text.isprintable():  # nearly always: no control character, no change of direction
        return text
    return "".join(char if _is_harmless(char) else _escape(char) for char in text)


def one_line(text: object, limit: int = 0) -> str:
    """Return printable text on one line, cut with an ellipsis after ``limit`` characters (0: not cut)."""
    line = " ".join(printable(text).split())
    return line if not limit or len(line) <= limit else line[: limit - 1] + "…"


def number_text(value: float) -> str:
    """Return a number with about four significant digits and thousands separators."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:,}"
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    size = abs(value)
    if value == int(value) and size < 1e15:
        return f"{value:,.0f}"
    if size >= 1e15 or size < 1e-3:
        return f"{value:.3g}"
    decimals = next(digits for bound, digits in ((1, 4), (10, 3), (100, 2), (1_000, 1), (1e15, 0)) if size < bound)
    return f"{value:,.{decimals}f}"


def duration_text(seconds: float | None) -> str:
    """Return seconds as ``0.4 s``, ``12 s``, ``1 min 05 s`` or ``2 h 03 min``; an en dash for None."""
    if seconds is None:
        return "–"
    if seconds < 0.0995:
        return f"{max(seconds, 0.0) * 1_000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _SECONDS_A_MINUTE:
        return f"{whole} s"
    if whole < _SECONDS_AN_HOUR:
        return f"{whole // _SECONDS_A_MINUTE} min {whole % _SECONDS_A_MINUTE:02d} s"
    minutes = round(seconds / _SECONDS_A_MINUTE)
    return f"{minutes // 60} h {minutes % 60:02d} min"


def count_text(count: int, noun: str, plural: str | None = None) -> str:
    """Return ``1 stage`` or ``1,000 stages``."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def credits_text(amount: float) -> str:
    """Return Snowflake credits with as many digits as matter."""
    return f"{amount:,.1f}" if amount >= 100 else f"{amount:.3g}"


def time_text(at: float, zone: tzinfo | None = UTC) -> str:
    """Return a moment (seconds since the epoch) as ``2026-11-22 14:15:02 UTC``; ``zone=None`` is local time."""
    moment = datetime.fromtimestamp(at, tz=zone)
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if zone is UTC else f"{moment:%Y-%m-%d %H:%M:%S}"


def names_text(names: list[str] | tuple[str, ...], limit: int = 5) -> str:
    """Return ``a, b and c``, or ``a, b and 7 more`` when there are more than ``limit``."""
    if len(names) > limit:
        return f"{', '.join(names[: limit - 1])} and {len(names) - limit + 1} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else ""


def dotted(params: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as dotted names → value, in order; empty mappings stay values."""
    flat: dict[str, Any] = {}
    for name, value in params.items():
        if isinstance(value, Mapping) and value:
            flat |= dotted(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Return dotted names → their shortest endings that still tell them apart."""
    short: dict[str, str] = {}
    for name in names:
        parts = name.split(".")
        endings = (".".join(parts[-count:]) for count in range(1, len(parts) + 1))
        others = [other for other in names if other != name]
        short[name] = next(
            (ending for ending in endings if not any(f".{other}".endswith(f".{ending}") for other in others)), name
        )
    return short


def _is_harmless(char: str) -> bool:
    if char in "\n\t":
        return True
    return unicodedata.category(char) not in _UNSAFE and char not in _DIRECTION


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def metrics_text(metrics: Mapping[str, float]) -> str:
    """Return metrics as one line."""
    return ", ".join(f"{name} {number_text(value)}" for name, value in metrics.items())
