"""Translated SQL in a form whose failures TRY can catch.

DuckDB's TRY takes no volatile function, and ``error()``, by which the macros fail, is one. So each macro that may fail
has a twin that fails by an impossible cast instead. DuckDB's optimizer moves what several TRY have in common in front
of them, where nothing catches its failure any more; it is switched off meanwhile.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Final

from firnline_sandbox.translate.macros import MACROS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

_MACRO: Final = re.compile(r"CREATE OR REPLACE TEMP MACRO (sf_\w+)(\(.*?\)) AS (.*)", re.DOTALL)
_CALL: Final = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\b(sf_\w+|error)\(""")
_RAISE: Final = "CREATE OR REPLACE TEMP MACRO safe_raise(m) AS CASE WHEN CAST(m AS BOOLEAN) THEN NULL END"


def _definitions() -> dict[str, tuple[str, str]]:
    found = (_MACRO.fullmatch(macro) for macro in MACROS)
    return {match[1]: (match[2], match[3]) for match in found if match is not None}


def _failing(definitions: dict[str, tuple[str, str]]) -> set[str]:
    """Name the macros that may fail, by themselves or through others."""
    calls = {name: {match[1] for match in _CALL.finditer(body)} for name, (_, body) in definitions.items()}
    failing = {"error"}
    while more := {name for name, called in calls.items() if called & failing} - failing:
        failing |= more
    return failing


_DEFINITIONS: Final = _definitions()
_FAILING: Final = _failing(_DEFINITIONS)


def safely(sql: str) -> str:
    """Call the twins of macros that may fail."""

    def replaced(found: re.Match[str]) -> str:
        name = found[1]
        if name not in _FAILING:
            return found[0]
        return "safe_raise(" if name == "error" else f"safe_{name.removeprefix('sf_')}("

    return _CALL.sub(replaced, sql)


@contextlib.contextmanager
def failures_caught(cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let TRY catch what :func:`safely` gave, on this cursor."""
    cursor.execute(_RAISE)
    for name, (arguments, body) in _DEFINITIONS.items():
        if name in _FAILING:
            twin = f"safe_{name.removeprefix('sf_')}{arguments}"
            cursor.execute(f"CREATE OR REPLACE TEMP MACRO {twin} AS {safely(body)}")
    cursor.execute("PRAGMA disable_optimizer")
    try:
        yield
    finally:
        cursor.execute("PRAGMA enable_optimizer")
