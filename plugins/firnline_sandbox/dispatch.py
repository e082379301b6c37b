"""Finding what carries out a statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from firnline_sandbox.errors import empty_statement, syntax_error, unsupported
from firnline_sandbox.statements import registry
from firnline_sandbox.statements.words import lex

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from firnline_sandbox.result import Result


def find_handler(sql: str, words: Sequence[str]) -> tuple[Callable[[Any, str], Result], bool]:
    """Find what carries out a statement, and whether it writes.

    Raises:
        ProgrammingError: 900, the statement is empty; 1003, it is no SQL; 2, the sandbox lacks this kind of statement.
    """
    registry.load_builtin()
    if not words:
        first = next(iter(lex(sql)), None)
        if first is None:
            raise empty_statement()
        if first.text != "(":
            raise syntax_error(f"line 1 at position {first.start} unexpected '{first.text}'.")
        words = ["SELECT"]
    found = registry.match_statement(words)
    if found is None:
        if words[0] not in registry.known_verbs():
            raise syntax_error(f"line 1 at position 0 unexpected '{words[0]}'.")
        raise unsupported(" ".join(words[:3]))
    return found
