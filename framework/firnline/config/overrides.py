"""Overrides as the user types them, made fit for params that have defaults in code and not in a YAML file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

# A plain value override of a dotted path, `train.params.depth=4`; not `+…`, `~…`, `hydra.…` or a group (`a/b=c`).
_DOTTED: Final = re.compile(r"(?!hydra\.)[A-Za-z_]\w*(\.[\w\[\]-]+)+=")
_NOTHING: Final = "=null"
_NO_OPTION: Final = re.compile(r"[A-Za-z_]\w*(@\w+)?=null")


def rewrite_overrides(overrides: Iterable[str]) -> list[str]:
    """Turn ``a.b=c`` into ``++a.b=c``, and ``a=null``, which Hydra does not take for a group, into ``~a``.

    Params have their defaults in a pydantic model, so most keys that can be overridden stand in no YAML file, and Hydra
    would refuse them. Our own check afterwards knows all keys, and refuses misspelt ones with the nearest name.
    """
    return [_rewritten(override) for override in overrides]


def _rewritten(override: str) -> str:
    if _NO_OPTION.fullmatch(override):
        return f"~{override.removesuffix(_NOTHING)}"
    return f"++{override}" if _DOTTED.match(override) else override


def override_path(override: str) -> str:
    """Return the config path that an override sets: ``++train.params.depth=4`` → ``train.params.depth``."""
    return override.lstrip("+~").partition("=")[0]


def typed_source(override: str) -> str:
    """Say that something comes from the command line, in the words of all reports."""
    return f"the command line ({override})"


def as_typed(override: str, typed: Iterable[str]) -> str:
    """Undo :func:`rewrite_overrides` for one override, given those that were typed."""
    candidates = (override.removeprefix("++"), override.removeprefix("~") + _NOTHING)
    known = set(typed)
    return next((candidate for candidate in candidates if candidate in known), override)
