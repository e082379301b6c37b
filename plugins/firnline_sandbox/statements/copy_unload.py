"""COPY INTO a location."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firnline_sandbox.errors import unsupported

if TYPE_CHECKING:
    from firnline_sandbox.context import Context
    from firnline_sandbox.result import Result
    from firnline_sandbox.statements.scanner import Scanner


def unload(context: Context, scanner: Scanner) -> Result:
    """Write the rows of a table or query into files."""
    del context, scanner
    raise unsupported("COPY INTO a location")
