"""Relations that are calls: FLATTEN, GENERATOR, SPLIT_TO_TABLE, the engine's table functions, staged files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlglot import exp

from firnline_sandbox import types as t
from firnline_sandbox.errors import invalid_argument, unsupported
from firnline_sandbox.translate.absent_functions import refused_table_function
from firnline_sandbox.translate.functions import Call, make_call
from firnline_sandbox.translate.functions_semi import as_variant, path_text
from firnline_sandbox.translate.operators import as_text
from firnline_sandbox.translate.parsing import identifier_name, resolve_name
from firnline_sandbox.translate.surroundings import Relation
from firnline_sandbox.translate.user_tables import alone, find_call
from firnline_sandbox.translate.values import Value, quote_name, quote_text
from firnline_sandbox.types import Column

if TYPE_CHECKING:
    from collections.abc import Callable

    from firnline_sandbox.translate.dispatch import Translation
    from firnline_sandbox.translate.scopes import Scope


@dataclass(frozen=True, slots=True)
class Lateral(Relation):
    """A relation that depends on the rows before it in the FROM clause."""

    row: str  # an integer that tells its rows apart, with {} for its alias
    entries: str = ""  # the list of structures whose elements are its rows, see `scopes.ELEMENT_FIELDS`


@dataclass(frozen=True, slots=True)
class StagedFiles(Relation):
    """Files of a stage; a column beyond the last is NULL."""


def _column(name: str, type_: t.SnowflakeType) -> Column:
    return Column(name, type_, physical=name)


_FLATTEN_COLUMNS: Final = (
    _column("SEQ", t.INTEGER),
    _column("KEY", t.TEXT),
    _column("PATH", t.TEXT),
    _column("INDEX", t.INTEGER),
    _column("VALUE", t.VARIANT),
    _column("THIS", t.VARIANT),
)
_SPLIT_COLUMNS: Final = (_column("SEQ", t.INTEGER), _column("INDEX", t.INTEGER), _column("VALUE", t.TEXT))


def table_function(translation: Translation, node: exp.Expr, scope: Scope) -> Relation:
    """Translate ``TABLE(call)``, or a call after LATERAL.

    Raises:
        ProgrammingError: 2141, nobody knows the function.
    """
    if (user_call := find_call(translation, node, scope)) is not None:
        return alone(translation, user_call)
    if isinstance(node, exp.Window):
        raise unsupported("a table function with OVER")
    name, inner = _function_name(node)
    if name in {"TABLE", "IDENTIFIER"} and len(inner.expressions) == 1:
        return _table_of(translation, inner.expressions[0], scope)
    call = make_call(translation, inner, scope)
    if (writer := BUILT_IN.get(name)) is not None:
        return writer(call)
    named = {key: constant_argument(call, argument) for key, argument in call.named.items()}
    arguments = [constant_argument(call, argument) for argument in call.nodes]
    relation = translation.around.table_function(name, arguments, named)
    if relation is None:
        raise refused_table_function(name)
    return relation


def _function_name(node: exp.Expr) -> tuple[str, exp.Anonymous]:
    if isinstance(node, exp.Anonymous):
        return str(node.this).upper() if isinstance(node.this, str) else identifier_name(node.this), node
    if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Anonymous):
        parts = [identifier_name(part) for part in node.this.find_all(exp.Identifier, bfs=False)]
        return ".".join([*parts, _function_name(node.expression)[0]]), node.expression
    raise unsupported(f"FROM {node.sql('snowflake')[:200]}")


def _table_of(translation: Translation, node: exp.Expr, scope: Scope) -> Relation:
    """``TABLE(function(...))``, or a table's name in a constant or bare."""
    if isinstance(node, exp.Anonymous | exp.Window) or (isinstance(node, exp.Dot) and _is_call(node)):
        return table_function(translation, node, scope)
    if isinstance(node, exp.Literal | exp.Placeholder | exp.RawString | exp.Parameter):
        return translation.around.relation(resolve_name(str(translation.value(node, scope).constant)))
    if isinstance(node, exp.Column):
        return translation.around.relation(tuple(identifier_name(part) for part in node.parts))
    raise unsupported(f"TABLE({node.sql('snowflake')[:200]})")


def _is_call(node: exp.Dot) -> bool:
    return isinstance(node.expression, exp.Anonymous)


def constant_argument(call: Call, node: exp.Expr) -> Any:
    """Give an argument's constant, computing it now if it is an expression; an object of constants becomes a dict.

    Raises:
        ProgrammingError: 1015, it depends on a column.
    """
    if isinstance(node, exp.Column) and not node.args.get("table"):
        return identifier_name(node.this)
    if isinstance(node, exp.Column) and call.name == "VALIDATE":  # whose table may be qualified
        return ".".join(quote_name(identifier_name(part)) for part in node.parts)
    value = call.translation.value(node, call.scope)
    if value.is_constant:
        return value.constant
    if node.find(exp.Column) is not None:
        raise invalid_argument(f"argument of table function {call.name} needs to be constant")
    (computed,) = call.translation.around.found(f"SELECT {value.sql}")
    return computed


def lateral(translation: Translation, node: exp.Lateral, scope: Scope) -> Relation:
    """``LATERAL FLATTEN(...)`` and ``LATERAL (SELECT ...)``, which see the relations before them."""
    if isinstance(node.this, exp.Subquery):
        inner = translation.query(node.this.this, scope)
        return Lateral(f"LATERAL ({inner.sql})", inner.columns, row="0")
    return table_function(translation, node.this, scope)


def _flatten(call: Call) -> Relation:
    """FLATTEN: one row for each element of an array or object."""
    named = {"INPUT": call.nodes[0], **call.named} if call.nodes else call.named
    if "INPUT" not in named:
        raise invalid_argument("function FLATTEN needs the argument INPUT")
    if unknown := sorted(named.keys() - {"INPUT", "PATH", "OUTER", "RECURSIVE", "MODE"}):
        raise invalid_argument(f"function FLATTEN has no argument {unknown[0]}")
    options = {key: constant_argument(call, node) for key, node in named.items() if key != "INPUT"}
    value = call.translation.value(named["INPUT"], call.scope)
    source = _json(value)
    prefix = ""
    if path := options.get("PATH"):
        source = f"json_extract({source}, {quote_text('$' + path_text(str(path)))})"
        prefix = str(path)
    mode = str(options.get("MODE") or "BOTH").upper()
    if mode != "BOTH":
        source = f"CASE WHEN json_type({source}) = '{'ARRAY' if mode == 'ARRAY' else 'OBJECT'}' THEN {source} END"
    word = "sf_flatten_all" if options.get("RECURSIVE") else "sf_flatten"
    entries = f"{word}({source}, {quote_text(prefix)})"
    if options.get("OUTER"):
        entries = f"sf_or_nothing({entries})"
    sql = (
        f'(SELECT {_sequence(call)} AS "SEQ", e.k AS "KEY", e.p AS "PATH", e.i AS "INDEX", e.v AS "VALUE",'
        f' e.t AS "THIS" FROM (SELECT unnest({entries}) AS e))'
    )
    return Lateral(f"LATERAL {sql}", _FLATTEN_COLUMNS, 'CAST(hash({0}."SEQ", {0}."PATH") >> 1 AS BIGINT)', entries)


def _json(value: Value) -> str:
    return as_variant(value).sql


def is_element_call(node: exp.Expr) -> bool:
    """Tell whether a relation is a call whose rows are a list's elements."""
    inner: Any = node.this
    while isinstance(inner, exp.Anonymous) and str(inner.this).upper() == "TABLE" and len(inner.expressions) == 1:
        inner = inner.expressions[0]
    return (
        isinstance(node, exp.Lateral | exp.Table)
        and isinstance(inner, exp.Anonymous)
        and str(inner.this).upper() in {"FLATTEN", "SPLIT_TO_TABLE", "STRTOK_SPLIT_TO_TABLE"}
    )


def _generator(call: Call) -> Relation:
    """GENERATOR: rows without columns."""
    count = call.named.get("ROWCOUNT", call.nodes[0] if call.nodes else None)
    if call.named.get("TIMELIMIT") is not None and count is None:
        raise unsupported("GENERATOR with TIMELIMIT alone")
    if count is None:
        return Lateral("(SELECT 0 AS r WHERE false)", (), row="0")
    rows = int(constant_argument(call, count))
    return Lateral(f"(SELECT range AS r FROM range({rows}))", (), row="{}.r")


def _split(call: Call) -> Relation:
    """SPLIT_TO_TABLE and STRTOK_SPLIT_TO_TABLE: one row for each part of a text."""
    text = as_text(call.value(0)).sql
    if call.name == "SPLIT_TO_TABLE":
        delimiter = as_text(call.value(1)).sql
        parts = f"CASE WHEN {delimiter} = '' THEN [{text}] ELSE string_split({text}, {delimiter}) END"
    else:
        parts = f"sf_strtok_list({text}, {as_text(call.value(1)).sql if len(call) > 1 else quote_text(' ')})"
    entries = f"list_transform({parts}, lambda x, i: {{'i': CAST(i AS BIGINT), 'v': x, 'p': i}})"
    sql = f'(SELECT {_sequence(call)} AS "SEQ", e.i AS "INDEX", e.v AS "VALUE" FROM (SELECT unnest({entries}) AS e))'
    return Lateral(f"LATERAL {sql}", _SPLIT_COLUMNS, 'CAST(hash({0}."SEQ", {0}."INDEX") >> 1 AS BIGINT)', entries)


def _sequence(call: Call) -> str:
    """Number the row before whose elements follow; where it cannot be told, NULL."""
    if not call.scope.sources:
        return "CAST(1 AS BIGINT)"
    row = call.scope.row_number() if call.scope.numbering else None
    return "CAST(NULL AS BIGINT)" if row is None else f"CAST({row} + 1 AS BIGINT)"


BUILT_IN: Final[dict[str, Callable[[Call], Relation]]] = {
    "FLATTEN": _flatten,
    "GENERATOR": _generator,
    "SPLIT_TO_TABLE": _split,
    "STRTOK_SPLIT_TO_TABLE": _split,
}


def staged_files(translation: Translation, node: exp.Table) -> Relation:
    """``@stage/path (FILE_FORMAT => ..., PATTERN => ...)`` or ``'snow://...'``."""
    location = str(node.this.name).strip("'")
    options: dict[str, Any] = {}
    if (format_ := node.args.get("format")) is not None:
        options["FILE_FORMAT"] = format_.name if isinstance(format_, exp.Literal) else _dotted(format_)
    if (pattern := node.args.get("pattern")) is not None:
        options["PATTERN"] = pattern.name
    if not location.startswith("@") and "://" not in location:
        return translation.around.relation(resolve_name(location))
    relation = translation.around.staged_files(location, options)
    return StagedFiles(relation.sql, relation.columns)


def _dotted(node: exp.Expr) -> str:
    return ".".join(
        f'"{part.name}"' if part.args.get("quoted") else part.name for part in node.find_all(exp.Identifier, bfs=False)
    )
