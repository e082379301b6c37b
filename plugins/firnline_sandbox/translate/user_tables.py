"""Calls of user-defined table functions in a FROM clause, with the relations before them and PARTITION BY."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from firnline_sandbox.errors import unsupported
from firnline_sandbox.translate.casts import coerce
from firnline_sandbox.translate.clauses import direction
from firnline_sandbox.translate.functions import make_call
from firnline_sandbox.translate.parsing import identifier_name
from firnline_sandbox.translate.surroundings import Relation, Translated
from firnline_sandbox.translate.user_functions import body_query, find, from_wire, struct
from firnline_sandbox.translate.values import Value, quote_name, quote_text, typed
from firnline_sandbox.types import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_sandbox.translate.dispatch import Translation
    from firnline_sandbox.translate.scopes import Scope, Source
    from firnline_sandbox.translate.surroundings import UserFunction


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCall:
    """A call of a table function, with what its OVER says."""

    function: UserFunction
    values: Sequence[Value]
    window: exp.Window | None

    def columns(self) -> tuple[Column, ...]:
        """Give the function's columns with the names that they have in the query written for it."""
        return tuple(
            Column(column.name, column.type, physical=f"f{position}")
            for position, column in enumerate(self.function.columns)
        )

    def outputs(self) -> list[str]:
        """Write the function's columns, read from a row ``o`` that a worker gave."""
        return [
            f"{from_wire(f'o.c{position}', column.type).sql} AS {quote_name(column.physical)}"
            for position, column in enumerate(self.columns())
        ]


def find_call(translation: Translation, node: exp.Expr, scope: Scope) -> TableCall | None:
    """Take a call of a user-defined table function apart; None for everything else."""
    window = None
    while isinstance(node, exp.Table | exp.Lateral) or _is_table_word(node):
        node = node.this if isinstance(node, exp.Table | exp.Lateral) else node.expressions[0]
    if isinstance(node, exp.Window):
        window, node = node, node.this
    parts = _name_of(node)
    if parts is None or not translation.around.knows_function(parts, table=True):
        return None
    call = make_call(translation, node.expression if isinstance(node, exp.Dot) else node, scope)  # type: ignore[arg-type]
    function, values = find(call, parts, table=True)
    return None if function is None else TableCall(function=function, values=values, window=window)


def _is_table_word(node: exp.Expr) -> bool:
    return isinstance(node, exp.Anonymous) and str(node.this).upper() == "TABLE" and len(node.expressions) == 1


def _name_of(node: exp.Expr) -> tuple[str, ...] | None:
    if isinstance(node, exp.Anonymous):
        return (node.this.upper() if isinstance(node.this, str) else identifier_name(node.this),)
    if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Anonymous):
        parts = [identifier_name(part) for part in node.this.find_all(exp.Identifier, bfs=False)]
        last = _name_of(node.expression)
        return (*parts, *(last or ()))
    return None


def alone(translation: Translation, call: TableCall) -> Relation:
    """Write a call that depends on no relation before it: the arguments are one row, and one partition."""
    if call.function.body is not None:
        return Relation(f"({_body(translation, call)})", call.columns())
    rows = _call_rows(call) if call.window is None else _call_groups(call, f"[{struct(_arguments(call))}]")
    listed = ", ".join(call.outputs())
    return Relation(f"(SELECT {listed} FROM (SELECT unnest({rows}) AS o))", call.columns())


def beside(translation: Translation, left: str, call: TableCall, scope: Scope, *, keep: bool) -> tuple[str, str]:
    """Write a call and the relations before it, from which its arguments come, as one relation.

    Those relations' sources refer to the new one afterwards. With ``keep``, rows for which the function gives nothing
    stay.

    Returns:
        The relation, and its alias.
    """
    alias = translation.alias()
    taken = _Taken(scope)
    if call.function.body is not None:
        sql = _beside_body(translation, left, call, taken, scope, keep=keep)
    elif call.window is None:
        called = f"SELECT {', '.join(taken.listed)}, {_call_rows(call)} AS r FROM {scope.number_rows(left)}"
        rows = "CASE WHEN len(r) = 0 THEN [NULL] ELSE r END" if keep else "r"
        inner = f"SELECT *, unnest({rows}) AS o FROM ({called})"
        kept = [f"CASE WHEN len(r) = 0 OR o.i IS NOT NULL THEN {name} END AS {name}" for name in taken.names]
        sql = f"SELECT {', '.join([*kept, *call.outputs()])} FROM ({inner})"
    else:
        if keep:
            raise unsupported("LEFT JOIN with a table function that has OVER")
        sql = _partitioned(translation, left, call, taken, scope)
    taken.point_to(alias)
    return f"({sql})", alias


class _Taken:
    """The columns of all relations so far, under names of their own."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._sources: list[tuple[Source, tuple[Column, ...]]] = []
        self.listed: list[str] = []
        self.names: list[str] = []
        self.of: dict[str, str] = {}
        """From an expression's SQL to the name under which it is listed."""
        for number, source in enumerate(scope.sources):
            columns = []
            for position, column in enumerate(source.columns):
                name = f"s{number}_{position}"
                self._add(source.value(column).sql, name)
                columns.append(replace(column, physical=name))
            self._sources.append((source, tuple(columns)))
        self._merged = {name: f"m{position}" for position, name in enumerate(scope.merged)}
        for name, value in scope.merged.items():
            self._add(value.sql, self._merged[name])
        if not self.listed:
            self._add("true", "s")

    def _add(self, sql: str, name: str) -> None:
        self.listed.append(f"{sql} AS {name}")
        self.names.append(name)
        self.of.setdefault(sql, name)

    def point_to(self, alias: str) -> None:
        """Let the scope's names mean the columns of a new relation."""
        for source, columns in self._sources:
            source.alias, source.columns, source.host = alias, columns, None
            source.relation = source.base = source.row = ""
            source.numbered = False
        merged = self._scope.merged
        for name, physical in self._merged.items():
            merged[name] = replace(merged[name], sql=f"{alias}.{physical}")
        self._scope.forget_index()


def _partitioned(translation: Translation, left: str, call: TableCall, taken: _Taken, scope: Scope) -> str:
    assert call.window is not None
    args = call.window.args
    if args.get("spec") is not None:
        raise unsupported("a window frame of a table function")
    keys = [translation.value(node, scope) for node in args.get("partition_by") or ()]
    order = args["order"].expressions if args.get("order") is not None else []
    sorting = [translation.value(node.this, scope).sql for node in order]
    listed = [
        *taken.listed,
        *(f"{key.sql} AS k{position}" for position, key in enumerate(keys)),
        *(f"{sql} AS o{position}" for position, sql in enumerate(sorting)),
        f"{struct(_arguments(call))} AS a",
    ]
    base = f"SELECT {', '.join(listed)} FROM {scope.number_rows(left)}"
    row = "{" + ", ".join(f"'{name}': {name}" for name in taken.names) + ", 'a': a}"
    directions = ", ".join(f"o{position}{direction(node)}" for position, node in enumerate(order))
    rows = f"list({row} ORDER BY {directions})" if order else f"list({row})"
    named = [f"k{position}" for position in range(len(keys))]
    grouped = f"SELECT {', '.join([*named, f'{rows} AS rows'])} FROM ({base})"
    if keys:
        grouped += f" GROUP BY {', '.join(named)}"
    called = f"SELECT *, unnest({_call_groups(call, 'list_transform(rows, lambda x: x.a)')}) AS o FROM ({grouped})"
    of_keys = {taken.of[key.sql]: f"k{position}" for position, key in enumerate(keys) if key.sql in taken.of}
    kept = [f"{of_keys.get(name, f'rows[o.i].{name}')} AS {name}" for name in taken.names]
    return f"SELECT {', '.join([*kept, *call.outputs()])} FROM ({called})"


def _beside_body(
    translation: Translation, left: str, call: TableCall, taken: _Taken, scope: Scope, *, keep: bool
) -> str:
    alias = translation.alias()
    functions = ", ".join(f"{alias}.{quote_name(column.physical)}" for column in call.columns())
    listed = ", ".join(taken.listed)
    join = "LEFT JOIN" if keep else "JOIN"
    body = _body(translation, call)
    return f"SELECT {listed}, {functions} FROM {scope.number_rows(left)} {join} LATERAL ({body}) AS {alias} ON true"


def _body(translation: Translation, call: TableCall) -> str:
    """Write the query of a function in SQL, with the declared columns."""
    body, relation = body_query(translation, call.function, call.values)
    if not isinstance(body, Translated):
        raise unsupported(f"the body of table function {call.function.name}, which is no query")
    alias = translation.alias()
    listed = ", ".join(
        f"{coerce(Value(f'{alias}.{quote_name(given.physical)}', given.type), declared.type).sql}"
        f" AS {quote_name(declared.physical)}"
        for given, declared in zip(body.columns, call.columns(), strict=True)
    )
    source = f"({body.sql}) AS {alias}"
    return f"SELECT {listed} FROM {relation}, LATERAL {source}" if relation else f"SELECT {listed} FROM {source}"


def _arguments(call: TableCall) -> list[str]:
    return [typed(value) for value in call.values]


def _call_rows(call: TableCall) -> str:
    arguments = "".join(f", {argument}" for argument in _arguments(call))
    return f"{call.function.physical}({quote_text(call.function.rows)}{arguments})"


def _call_groups(call: TableCall, rows: str) -> str:
    return f"{call.function.physical}({quote_text(call.function.groups)}, {rows})"
