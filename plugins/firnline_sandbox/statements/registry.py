"""The doors through which statement families, system functions, rewriters and file schemes come in.

A module registers with the decorators below when it is imported; :func:`load_builtin` imports the built-in modules,
``firnline_sandbox.models`` among them. A later registration of the same key is an error.
"""

from __future__ import annotations

import importlib
import threading
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.errors import unsupported

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from sqlglot.tokenizer_core import Token

    from firnline_sandbox.context import Context
    from firnline_sandbox.engine import SandboxEngine
    from firnline_sandbox.result import Result
    from firnline_sandbox.translate.surroundings import Relation


Handler = "Callable[[Context, str], Result]"
SystemFunction = "Callable[[Context, list[Any]], Any]"
QueryRewriter = "Callable[[Context, list[Token], str], str]"
SchemeResolver = "Callable[[Context, str, bool], Path]"

_statements: Final[dict[tuple[str, ...], tuple[Callable[[Context, str], Result], bool]]] = {}
_refused: Final[set[tuple[str, ...]]] = set()
_system_functions: Final[dict[str, Callable[[Context, list[Any]], Any]]] = {}
_table_functions: Final[dict[str, Callable[[Any, Sequence[Any], Mapping[str, Any]], Relation]]] = {}
_rewriters: Final[list[Callable[[Context, list[Token], str], str]]] = []
_schemes: Final[dict[str, Callable[[Context, str, bool], Path]]] = {}
_parts: Final[dict[str, Callable[[SandboxEngine], Any]]] = {}
_MODULES: Final = (
    "session",
    "variables",
    "query",
    "tables",
    "views",
    "ddl",
    "dml",
    "merge",
    "stage",
    "system",
    "table_functions",
    "copy_load",
    "copy_files",
    "infer_schema",
    "show_relations",
    "show_containers",
    "show_account",
    "describe",
    "alter_table",
    "alter_objects",
    "comments",
    "tags",
    "usage_views",
    "get_ddl",
)
_ROOMS: Final = (
    "warehouses.meter",
    "warehouses.monitor_statements",
    "warehouses.warehouse_statements",
    "models",
    "experiments",
    "functions.statements",
    "streams.statements",
    "dynamic.statements",
    "dynamic.show",
    "tasks.scheduler",
    "tasks.statements",
    "tasks.show",
    "tasks.system",
    "streams.show",
)
_load_lock: Final = threading.RLock()
_loaded: Final[set[str]] = set()

# Words that stand between the verb and the object's kind and say nothing about which handler is meant.
_NOISE: Final = frozenset(
    {"OR", "REPLACE", "ALTER_", "TEMP", "TEMPORARY", "SCOPED", "TRANSIENT", "LOCAL", "GLOBAL", "VOLATILE", "SECURE"}
)


# First words of Snowflake statements: one that no handler takes is refused by name, anything else is a syntax error.
_SNOWFLAKE_VERBS: Final = frozenset(
    [
        "ALTER",
        "BEGIN",
        "CALL",
        "COMMENT",
        "COMMIT",
        "COPY",
        "CREATE",
        "DECLARE",
        "DELETE",
        "DESC",
        "DESCRIBE",
        "DROP",
        "EXECUTE",
        "EXPLAIN",
        "GET",
        "GRANT",
        "INSERT",
        "LIST",
        "LS",
        "MERGE",
        "PUT",
        "REMOVE",
        "REVOKE",
        "RM",
        "ROLLBACK",
        "SELECT",
        "SET",
        "SHOW",
        "START",
        "TRUNCATE",
        "UNDROP",
        "UNSET",
        "UPDATE",
        "USE",
        "VALUES",
        "WITH",
    ]
)


def statement(*keywords: str, writes: bool = True) -> Callable[[Any], Any]:
    """Register a handler for statements that start with these keywords, such as ``"CREATE MODEL"``.

    The longest match wins. Between CREATE and the kind, ``OR REPLACE``, ``OR ALTER``, ``TEMP``, ``SCOPED``,
    ``TRANSIENT`` and ``SECURE`` are skipped; the handler gets the whole statement and reads them itself (see
    ``statements.scanner.Scanner``). Comments before the first keyword are skipped too, ``IF NOT EXISTS`` follows the
    kind. With ``writes``, the handler runs inside a transaction that holds the engine's write lock; an exception rolls
    it back.
    """

    def register(handler: Callable[[Context, str], Result]) -> Callable[[Context, str], Result]:
        for phrase in keywords:
            _add(_statements, tuple(phrase.upper().split()), (handler, writes))
        return handler

    return register


def refused_statement(feature: str, *keywords: str) -> None:
    """Register statements to refuse by this name, where the longest match would find another handler."""

    def refuse(_context: Context, _sql: str) -> Result:
        raise unsupported(feature)

    statement(*keywords, writes=False)(refuse)
    _refused.update(tuple(phrase.split()) for phrase in keywords)


def system_function(name: str) -> Callable[[Any], Any]:
    """Register a scalar system function with constant arguments, such as ``SYSTEM$ML_PLATFORM_CAPABILITIES``.

    It is called as ``function(context, arguments)`` with Python values before translation; what it returns (str, int,
    float, bool or None) takes the call's place as a constant.
    """

    def register(
        function: Callable[[Context, list[Any]], Any],
    ) -> Callable[[Context, list[Any]], Any]:
        _add(_system_functions, name.upper(), function)
        return function

    return register


def table_function(name: str) -> Callable[[Any], Any]:
    """Register a table function with constant arguments, such as ``RESULT_SCAN`` or ``QUERY_HISTORY``.

    It is called as ``function(context, arguments, named)`` with Python values (names of arguments in upper case) before
    translation, and returns the ``Relation`` that takes the call's place; ``Context.register`` makes one of Arrow data.
    A name stands for itself and, with INFORMATION_SCHEMA before it, for that schema's function.
    """

    def register(
        function: Callable[[Any, Sequence[Any], Mapping[str, Any]], Relation],
    ) -> Callable[[Any, Sequence[Any], Mapping[str, Any]], Relation]:
        _add(_table_functions, name.upper(), function)
        return function

    return register


def find_table_function(name: str) -> Callable[[Any, Sequence[Any], Mapping[str, Any]], Relation] | None:
    """Find a registered table function by its upper-case name."""
    return _table_functions.get(name)


def query_rewriter(
    rewriter: Callable[[Context, list[Token], str], str],
) -> Callable[[Context, list[Token], str], str]:
    """Register a function that sees each query's tokens before parsing and returns the SQL to parse instead.

    Tokens are sqlglot's, with ``start`` and ``end`` offsets into the SQL text (``end`` inclusive). Return the SQL as it
    came when there is nothing to do.
    """
    _rewriters.append(rewriter)
    return rewriter


def file_scheme(prefix: str) -> Callable[[Any], Any]:
    """Register who answers for paths such as ``snow://model/...`` in PUT, GET and LIST.

    ``resolver(context, path, for_writing)`` gets the whole path and returns a local path: a folder, or for a path that
    names a file, that file.
    """

    def register(
        resolver: Callable[[Context, str, bool], Path],
    ) -> Callable[[Context, str, bool], Path]:
        _add(_schemes, prefix.lower(), resolver)
        return resolver

    return register


def engine_part(name: str) -> Callable[[Any], Any]:
    """Register what makes a part of an engine, such as the workers that run models.

    ``make(engine)`` is called at the part's first use, and the ``close()`` of what it returns when the engine closes.
    """

    def register(make: Callable[[SandboxEngine], Any]) -> Callable[[SandboxEngine], Any]:
        _add(_parts, name, make)
        return make

    return register


def find_engine_part(name: str) -> Callable[[SandboxEngine], Any]:
    """Find what makes a part of an engine."""
    return _parts[name]


def match_statement(words: Sequence[str]) -> tuple[Callable[[Context, str], Result], bool] | None:
    """Find the handler (and whether it writes) for a statement's leading upper-case words."""
    kept = list(words[:1])
    rest = list(words[1:])
    if kept == ["CREATE"]:
        while rest and (rest[0] in _NOISE or (rest[0] == "ALTER" and len(kept) == 1)):
            rest.pop(0)
    kept += rest
    for length in range(min(len(kept), 5), 0, -1):
        if found := _statements.get(tuple(kept[:length])):
            return found
    return None


def known_verbs() -> frozenset[str]:
    """List the first words of Snowflake's statements, the ones that the sandbox refuses among them."""
    return frozenset(phrase[0] for phrase in _statements) | _SNOWFLAKE_VERBS


def statements() -> list[tuple[str, ...]]:
    """List the keywords of all statements that somebody carries out, in order."""
    load_builtin()
    return sorted(_statements.keys() - _refused)


def system_functions() -> list[str]:
    """List the registered system functions."""
    return sorted(_system_functions)


def table_functions() -> list[str]:
    """List the registered table functions."""
    return sorted(_table_functions)


def find_system_function(name: str) -> Callable[[Context, list[Any]], Any] | None:
    """Find a registered system function by its upper-case name."""
    return _system_functions.get(name)


def rewrite_query(context: Context, sql: str) -> str:
    """Run the registered rewriters over a query, one after the other."""
    from firnline_sandbox.translate.parsing import tokenize

    for rewriter in _rewriters:
        sql = rewriter(context, tokenize(sql), sql)
    return sql


def find_scheme(path: str) -> Callable[[Context, str, bool], Path] | None:
    """Find the resolver whose prefix the path starts with; the longest prefix wins."""
    matching = [prefix for prefix in _schemes if path.lower().startswith(prefix)]
    return _schemes[max(matching, key=len)] if matching else None


def load_builtin() -> None:
    """Import the modules that register the built-in statements, once."""
    with _load_lock:
        if "builtin" in _loaded:
            return
        for name in _MODULES:
            importlib.import_module(f"firnline_sandbox.statements.{name}")
        for room in _ROOMS:
            importlib.import_module(f"firnline_sandbox.{room}")
        _loaded.add("builtin")


def _add(registry: dict[Any, Any], key: Any, value: Any) -> None:
    if key in registry and registry[key] is not value:
        raise ValueError(f"{key!r} is registered twice in the sandbox")
    registry[key] = value
