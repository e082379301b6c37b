"""CALL, of a stored procedure or of one that is written before it: ``WITH p AS PROCEDURE ... CALL p(...)``."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from firnline_sandbox.catalog.snapshot import new_fields
from firnline_sandbox.errors import error, invalid_argument
from firnline_sandbox.functions.bridge import explained
from firnline_sandbox.functions.code import wire_arrow_type
from firnline_sandbox.functions.declaration import read_declaration
from firnline_sandbox.functions.lookup import provide, room_of
from firnline_sandbox.functions.objects import Procedure
from firnline_sandbox.functions.overloads import choose, named_routines, wrong_arguments
from firnline_sandbox.functions.session_front import SessionFront
from firnline_sandbox.models.call_syntax import closing_of, split_at_commas
from firnline_sandbox.result import Result
from firnline_sandbox.statements.registry import statement
from firnline_sandbox.translate.absent_functions import refused_function
from firnline_sandbox.translate.parsing import parse_type
from firnline_sandbox.types import NULL, VARIANT
from firnline_sandbox.workers.frames import from_bytes, message, to_bytes
from firnline_sandbox.workers.process import HandlerError, Limits, WorkerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from firnline_sandbox.context import Context
    from firnline_sandbox.statements.scanner import Scanner
    from firnline_sandbox.types import SnowflakeType

_ANONYMOUS: Final = re.compile(r'\s*WITH\s+(?:"(?:[^"]|"")+"|[\w$.]+)\s+AS\s+PROCEDURE\b', re.IGNORECASE)
_NAMED: Final = re.compile(r'\s*("(?:[^"]|"")+"|[A-Za-z_][\w$]*)\s*=>\s*(.*)', re.DOTALL)


def is_anonymous(sql: str) -> bool:
    """Say whether a statement that starts with WITH defines a procedure."""
    return _ANONYMOUS.match(sql) is not None


@statement("CALL", writes=False)
def call(context: Context, sql: str) -> Result:
    """``CALL p(...)``."""
    scanner = context.scanner(sql)
    scanner.expect("CALL")
    parts = scanner.name()
    if len(parts) == 1 and parts[0].startswith("SYSTEM$"):
        return context.execute(f"SELECT {sql[scanner.words[1].start :]}", context.params)
    given, named = _arguments(context, scanner)
    found = named_routines(context, Procedure, parts)
    if not found:
        raise refused_function(parts)
    types = [_type_of(context, text) for text in given]
    named_types = {name: _type_of(context, text) for name, text in named.items()}
    chosen = choose(found, types, named_types)
    if chosen is None:
        raise wrong_arguments(parts[-1], [*types, *named_types.values()])
    return run(context, chosen, given, named)


def call_anonymous(context: Context, sql: str) -> Result:
    """``WITH p AS PROCEDURE (...) RETURNS ... AS '...' CALL p(...)``."""
    scanner = context.scanner(sql)
    scanner.expect("WITH")
    name = scanner.name()
    scanner.expect("AS", "PROCEDURE")
    fields = read_declaration(context, scanner)
    scanner.expect("CALL")
    if scanner.name() != name:
        raise invalid_argument(f"the procedure {name[-1]} is the only one that can be called here")
    given, named = _arguments(context, scanner)
    database, schema = context.home
    procedure = Procedure(
        **new_fields(database=database or "", schema=schema or "", name=name[-1]) | fields | {"execute_as": "CALLER"}
    )
    try:
        return run(context, procedure, given, named)
    finally:
        room_of(context).forget(procedure.id)


def _arguments(context: Context, scanner: Scanner) -> tuple[list[str], dict[str, str]]:
    """Read the arguments in their parentheses as texts."""
    opening = scanner.position
    scanner.expect("(")
    closing = closing_of(scanner.words, opening)
    texts = split_at_commas(scanner.sql, scanner.words, opening, closing)
    scanner.position = closing + 1
    scanner.expect_end()
    given: list[str] = []
    named: dict[str, str] = {}
    for text in texts:
        if (found := _NAMED.fullmatch(text)) is not None:
            name = found[1][1:-1].replace('""', '"') if found[1].startswith('"') else found[1].upper()
            named[name] = found[2]
        else:
            given.append(text)
    if named and any("?" in text for text in texts):
        _refuse_binds(context)
    return given, named


def _refuse_binds(context: Context) -> None:
    if context.params:
        from firnline_sandbox.errors import unsupported

        raise unsupported("binds beside arguments with names in CALL")


def _type_of(context: Context, text: str) -> SnowflakeType:
    """Give an argument's type."""
    if text.strip().upper() == "NULL":
        return NULL
    if text.strip() == "?":
        return VARIANT  # it goes where the procedure wants it
    from firnline_sandbox.translate import parse_statement, translate_query

    translated = translate_query(parse_statement(f"SELECT {text}"), context.surroundings, context.params)
    return translated.columns[0].type


def run(context: Context, procedure: Procedure, given: Sequence[str], named: dict[str, str]) -> Result:
    """Call a procedure with these arguments, Snowflake SQL each."""
    arguments = _evaluated(context, procedure, given, named)
    returns = None if procedure.output is not None else parse_type(procedure.returns)
    if procedure.strict and any(column.null_count for column in arguments.columns):
        assert returns is not None
        return _value(procedure, returns, pa.array([None], wire_arrow_type(returns)))
    identity = provide(context, procedure)
    room = room_of(context)
    front = SessionFront(context.connection, room.folder)
    history = context.engine.history

    def cancelled() -> bool:
        stop = history.is_cancelled(context.query_id)
        if stop and front.running is not None:
            history.cancel(front.running)
            context.engine.write_lock.wake()
        return stop

    metadata = {"rows": "1", "shape": "call", "session": front.greeting().hex()}
    with _home(context, procedure):
        try:
            with room.procedures.lease(identity) as worker:
                request = to_bytes(message(metadata, arguments))
                worker.call(procedure.name, request, Limits(cancelled=cancelled), front.answer)
                ending, data = front.ending
                if ending["verb"] == "failed":
                    raise HandlerError(ending["error"])
        except WorkerError as failure:
            raise explained(failure, procedure.name, procedure.handler) from failure
    if returns is not None:
        return _value(procedure, returns, from_bytes(data).column(0).combine_chunks())
    return _table(context, procedure, ending["query_id"])


@contextlib.contextmanager
def _home(context: Context, procedure: Procedure) -> Iterator[None]:
    """Let an owner's procedure find names in its own schema, and bring the caller's back."""
    connection = context.connection
    before = connection.database, connection.schema
    if procedure.execute_as != "OWNER":
        yield
        return
    connection.use(procedure.database, procedure.schema)
    try:
        yield
    finally:
        connection.use(*before)


def _evaluated(context: Context, procedure: Procedure, given: Sequence[str], named: dict[str, str]) -> pa.Table:
    """Compute the arguments in the types of the parameters."""
    listed = []
    for position, argument in enumerate(procedure.arguments):
        text = given[position] if position < len(given) else named.get(argument.name, argument.default or "NULL")
        listed.append(f"CAST({text} AS {argument.sql_type})")
    if not listed:
        return pa.table({})
    result = context.execute(f"SELECT {', '.join(listed)}", context.params)
    names = [str(position) for position in range(len(listed))]
    return result.table().rename_columns(names)


def _value(procedure: Procedure, returns: SnowflakeType, column: Any) -> Result:
    from firnline_sandbox.result import shown_json

    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks)
    if returns.is_semi_structured:
        column = pa.array([shown_json(text) for text in column.to_pylist()], pa.string())
    result = Result.arrow([(procedure.name, returns)], pa.table({procedure.name: column}))
    result.is_query = True
    return result


def _table(context: Context, procedure: Procedure, query_id: str) -> Result:
    """Give the rows of a query that ran for the procedure, under the declared names and types."""
    found = context.connection.runner.outcome(query_id)
    if not isinstance(found, Result):
        raise error(709, "02000", f"the rows that procedure {procedure.name} returned are not kept any more")
    if not procedure.output:
        return found
    if len(found.columns) != len(procedure.output):
        raise invalid_argument(
            f"procedure {procedure.name} returned {len(found.columns)} columns, declared are {len(procedure.output)}"
        )
    name = context.register(found.table().rename_columns([f"c{n}" for n in range(len(found.columns))]))
    from firnline_sandbox.statements.fetching import fetch
    from firnline_sandbox.translate.casts import coerce
    from firnline_sandbox.translate.surroundings import Translated
    from firnline_sandbox.translate.values import Value, quote_name
    from firnline_sandbox.types import Column

    columns, listed = [], []
    for position, (column_name, sql_type) in enumerate(procedure.output):
        wanted = parse_type(sql_type)
        given = found.columns[position].type
        stored = f"CAST(c{position} AS {given.duckdb})"
        columns.append(Column(column_name, wanted, physical=f"o{position}"))
        listed.append(f"{coerce(Value(stored, given), wanted).sql} AS {quote_name(f'o{position}')}")
    result = fetch(context, Translated(f"SELECT {', '.join(listed)} FROM {name}", tuple(columns)), [])  # noqa: S608
    result.is_query = True
    return result
