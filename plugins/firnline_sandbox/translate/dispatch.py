"""Where expression and query translators register, and the state of one statement's translation."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.errors import recursive_view, unsupported

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlglot import exp

    from firnline_sandbox.translate.scopes import Scope
    from firnline_sandbox.translate.surroundings import Surroundings, Translated
    from firnline_sandbox.translate.values import Value

_EXPRESSIONS: Final[dict[type, Callable[..., Value]]] = {}
_QUERIES: Final[dict[type, Callable[..., Translated]]] = {}


_DEEPEST_FUNCTION: Final = 40


class Translation:
    """One statement's translation: its surroundings, its bound values, and the aliases handed out so far."""

    __slots__ = ("_aliases", "_depth", "around", "binds_used", "params")

    def __init__(self, around: Surroundings, params: Sequence[Any] = ()) -> None:
        self.around = around
        self.params = params
        self.binds_used: set[int] = set()
        self._aliases = itertools.count(1)
        self._depth = 0

    def value(self, node: exp.Expr, scope: Scope) -> Value:
        """Translate an expression.

        Raises:
            ProgrammingError: 2, the sandbox lacks this kind of expression.
        """
        handler = _EXPRESSIONS.get(type(node))
        if handler is None:
            raise unsupported(node.sql("snowflake")[:200] or type(node).__name__)
        return handler(self, node, scope)

    def query(self, node: exp.Expr, scope: Scope) -> Translated:
        """Translate a query whose surrounding scope is ``scope``.

        Raises:
            ProgrammingError: 2, the sandbox lacks this kind of query.
        """
        handler = _QUERIES.get(type(node))
        if handler is None:
            raise unsupported(f"query {type(node).__name__.upper()}")
        return handler(self, node, scope)

    def alias(self) -> str:
        """Give an alias that nothing else in the statement has."""
        return f"_{next(self._aliases)}"

    def inside(self, around: Surroundings) -> Translation:
        """Start the translation of a function's body, whose names mean what its own schema has.

        Raises:
            ProgrammingError: 2037, functions call each other without an end.
        """
        inner = Translation(around)
        inner._aliases = self._aliases
        inner._depth = self._depth + 1
        if inner._depth > _DEEPEST_FUNCTION:
            raise recursive_view("a function in SQL")
        return inner


def expression(*kinds: type) -> Callable[[Any], Any]:
    """Register the translator of some classes of syntax nodes."""

    def register(handler: Callable[..., Value]) -> Callable[..., Value]:
        for kind in kinds:
            _EXPRESSIONS[kind] = handler
        return handler

    return register


def query(*kinds: type) -> Callable[[Any], Any]:
    """Register the translator of some classes of queries."""

    def register(handler: Callable[..., Translated]) -> Callable[..., Translated]:
        for kind in kinds:
            _QUERIES[kind] = handler
        return handler

    return register
