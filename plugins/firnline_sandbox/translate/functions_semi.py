"""Semi-structured data: paths, PARSE_JSON, objects and arrays. VARIANT, OBJECT and ARRAY are all JSON in DuckDB."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sqlglot import exp

from firnline_sandbox import types as t
from firnline_sandbox.errors import invalid_argument, runtime_error_call, unsupported
from firnline_sandbox.translate.casts import cast
from firnline_sandbox.translate.dispatch import Translation, expression
from firnline_sandbox.translate.functions import Call, declare, function
from firnline_sandbox.translate.operators import as_condition, as_text
from firnline_sandbox.translate.parsing import identifier_name
from firnline_sandbox.translate.projections import expand_star, star_of
from firnline_sandbox.translate.values import Value, quote_text

if TYPE_CHECKING:
    from firnline_sandbox.translate.scopes import Scope

_SEMI: Final = t.SEMI_STRUCTURED


def as_variant(value: Value) -> Value:
    """Bring a value to VARIANT."""
    return value if value.type.kind in _SEMI else cast(value, t.VARIANT)


@expression(exp.JSONExtract)
def path(translation: Translation, node: exp.JSONExtract, scope: Scope) -> Value:
    """``v:a.b[0]``."""
    parts = node.expression
    if not isinstance(parts, exp.JSONPath):
        raise unsupported(f"path {node.sql('snowflake')}")
    left = list(parts.expressions)
    value = _staged_field(node.this, left, scope)
    if value is None:
        value = as_variant(translation.value(node.this, scope))
    elif not left:
        return value
    steps = []
    for part in left:
        match part:
            case exp.JSONPathRoot():
                continue
            case exp.JSONPathKey():
                steps.append(key_step(part.this))
            case exp.JSONPathSubscript() if isinstance(part.this, int):
                steps.append(f"[{part.this}]")
            case exp.JSONPathSubscript() if isinstance(part.this, str):
                steps.append(key_step(part.this))
            case _:
                raise unsupported(f"path {node.sql('snowflake')}")
    return Value(f"json_extract({value.sql}, {quote_text('$' + ''.join(steps))})", t.VARIANT)


def _staged_field(node: exp.Expr, steps: list[exp.Expr], scope: Scope) -> Value | None:
    """Take a field of a staged Parquet row from its own column, and its step off the path."""
    positional = node.this if isinstance(node, exp.Column) else node
    if not isinstance(positional, exp.Parameter) or positional.name != "1":
        return None
    keys = [step for step in steps if not isinstance(step, exp.JSONPathRoot)]
    if not keys or not isinstance(keys[0], exp.JSONPathKey):
        return None
    table = node.args.get("table")
    field = scope.staged_field(str(keys[0].this), (identifier_name(table),) if table is not None else ())
    if field is not None:
        steps[:] = keys[1:]
    return field and replace(as_variant(field), inner=field)


def key_step(key: str) -> str:
    """Write one key of a JSON path."""
    return '."' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'


@expression(exp.Bracket)
def bracket(translation: Translation, node: exp.Bracket, scope: Scope) -> Value:
    """``v['key']`` and ``v[0]``."""
    if len(node.expressions) != 1:
        raise unsupported(f"subscript {node.sql('snowflake')}")
    return element(translation.value(node.this, scope), translation.value(node.expressions[0], scope))


def element(value: Value, key: Value) -> Value:
    """Take an element by key or index; what is absent is NULL."""
    value = as_variant(value)
    if isinstance(key.constant, str):
        return Value(f"json_extract({value.sql}, {quote_text('$' + key_step(key.constant))})", t.VARIANT)
    if isinstance(key.constant, int):
        return Value(
            f"json_extract({value.sql}, '$[{key.constant}]')" if key.constant >= 0 else "CAST(NULL AS JSON)", t.VARIANT
        )
    if key.type.kind == "TEXT":
        return Value(f"sf_get_key({value.sql}, {key.sql})", t.VARIANT)
    return Value(f"json_extract({value.sql}, CAST({cast(key, t.INTEGER).sql} AS BIGINT))", t.VARIANT)


@function("GET")
def get(call: Call) -> Value:
    """``GET(v, key)``."""
    return element(call.value(0), call.value(1))


@function("GET_PATH", "JSON_EXTRACT_PATH_TEXT")
def get_path(call: Call) -> Value:
    """``GET_PATH(v, 'a.b[0]')``."""
    value = call.value(0)
    as_json = parse_text(value) if value.type.kind == "TEXT" else as_variant(value).sql
    where = call.as_type(1, t.TEXT)
    if isinstance(where.constant, str):
        sql = f"json_extract({as_json}, {quote_text('$' + path_text(where.constant))})"
    else:
        sql = f"json_extract({as_json}, sf_json_path({where.sql}))"
    if call.name == "GET_PATH":
        return call.build(sql, t.VARIANT, nullable=True)
    return call.build(f"CASE WHEN json_type({sql}) <> 'NULL' THEN sf_json_text({sql}) END", t.TEXT, nullable=True)


@function("GET_IGNORE_CASE")
def get_ignore_case(call: Call) -> Value:
    """Take an object's element by a key in any case; one in the same case comes first."""
    target, key = as_variant(call.value(0)).sql, as_text(call.value(1)).sql
    return call.build(f"sf_get_ignore_case({target}, {key})", t.VARIANT, nullable=True)


def path_text(text: str) -> str:
    """Turn Snowflake's path text into steps of a JSON path: ``a.b[0]['c']``.

    Raises:
        ProgrammingError: 1015, the text is no path.
    """
    import re

    steps = []
    position = 0
    pattern = re.compile(r"""\.?(?:([A-Za-z_$][\w$]*)|"((?:[^"])*)"|\[(\d+)\]|\['([^']*)'\]|\["([^"]*)"\])""")
    while position < len(text):
        found = pattern.match(text, position)
        if found is None:
            raise invalid_argument(f"Invalid extraction path '{text}'")
        index = found[3]
        steps.append(
            f"[{index}]" if index is not None else key_step(next(part for part in found.groups() if part is not None))
        )
        position = found.end()
    return "".join(steps)


def parse_text(value: Value) -> str:
    """Write PARSE_JSON."""
    return f"sf_parse_json({as_text(value).sql})"


@function("PARSE_JSON")
def parse_json(call: Call) -> Value:
    """Read JSON; an empty text gives NULL."""
    value = call.value(0)
    if value.type.kind in _SEMI:
        return value
    return call.build(parse_text(value), t.VARIANT, nullable=True)


@function("TRY_PARSE_JSON")
def try_parse_json(call: Call) -> Value:
    """Read JSON; what is none gives NULL."""
    value = call.value(0)
    if value.type.kind in _SEMI:
        return value
    return call.build(f"sf_try_parse_json({as_text(value).sql})", t.VARIANT, nullable=True)


@function("CHECK_JSON")
def check_json(call: Call) -> Value:
    """Tell that a text is no JSON; NULL if it is."""
    if call.value(0).type.kind in _SEMI:
        return call.build("CAST(NULL AS VARCHAR)", t.TEXT, nullable=True)
    text = as_text(call.value(0)).sql
    return call.build(f"CASE WHEN json_valid({text}) THEN NULL ELSE 'malformed JSON' END", t.TEXT, nullable=True)


@function("TO_JSON")
def to_json(call: Call) -> Value:
    """Write JSON text."""
    return call.build(f"sf_without_marks(CAST(json({as_variant(call.value(0)).sql}) AS VARCHAR))", t.TEXT)


@function("TO_VARIANT")
def to_variant(call: Call) -> Value:
    """Convert to VARIANT."""
    value = as_variant(call.value(0))
    return call.build(value.sql, t.VARIANT)


@function("TO_ARRAY")
def to_array(call: Call) -> Value:
    """Convert to ARRAY; what is none becomes one of one element."""
    return cast(as_variant(call.value(0)), t.ARRAY)


@function("TO_OBJECT")
def to_object(call: Call) -> Value:
    """Convert to OBJECT."""
    return cast(as_variant(call.value(0)), t.OBJECT)


@function("OBJECT_CONSTRUCT", "OBJECT_CONSTRUCT_KEEP_NULL")
def object_construct(call: Call) -> Value:
    """Build an object from keys and values, or from all columns."""
    keep = call.name.endswith("KEEP_NULL")
    if len(call) == 1 and isinstance(call.nodes[0], exp.Star):
        outputs = expand_star(call.translation, call.nodes[0], call.nodes[0], call.scope)
        pairs = [(quote_text(output.name), output.value) for output in outputs]
    else:
        if len(call) % 2:
            raise invalid_argument(f"function {call.name} needs keys and values in pairs, got {len(call)} arguments")
        values = call.values()
        pairs = [(as_text(values[index]).sql, values[index + 1]) for index in range(0, len(values), 2)]
    return write_object(call, pairs, keep=keep)


def write_object(call: Call, pairs: list[tuple[str, Value]], *, keep: bool) -> Value:
    """Write an object; with ``keep``, SQL NULLs become JSON nulls instead of leaving their keys out."""
    if not pairs:
        return Value("CAST('{}' AS JSON)", t.OBJECT, nullable=False)
    nullable = any(value.nullable for _, value in pairs)
    parts = ", ".join(
        f"{key}, {'CAST(NULL AS JSON)' if value.type.kind == 'NULL' else as_variant(value).sql}" for key, value in pairs
    )
    if not nullable or (keep and all(key.startswith("'") for key, _ in pairs)):
        return call.build(f"json_object({parts})", t.OBJECT, nullable=False)
    null = "CAST('null' AS JSON)" if keep else "CAST(NULL AS JSON)"
    entries = ", ".join(f"row({key}, {_entry(value, null, keep)})" for key, value in pairs)
    return call.build(f"sf_pairs_to_object([{entries}])", t.OBJECT, nullable=False)


def _entry(value: Value, null: str, keep: bool) -> str:
    if value.type.kind == "NULL":
        return null
    sql = as_variant(value).sql
    return f"coalesce({sql}, {null})" if keep else sql


@expression(exp.Struct)
def object_constant(translation: Translation, node: exp.Struct, scope: Scope) -> Value:
    """``{'key': value}`` and ``{*}``."""
    pairs = []
    for part in node.expressions:
        if (star := star_of(part)) is not None:
            pairs += [(quote_text(output.name), output.value) for output in expand_star(translation, part, star, scope)]
            continue
        if not isinstance(part, exp.PropertyEQ):
            raise unsupported(f"an object constant with {part.sql('snowflake')[:100]}")
        key = part.this
        pairs.append((quote_text(key.name), translation.value(part.expression, scope)))
    call = Call(translation=translation, scope=scope, name="OBJECT_CONSTRUCT", nodes=[])
    return write_object(call, pairs, keep=False)


@function("ARRAY_CONSTRUCT", "ARRAY_CONSTRUCT_COMPACT")
def array_construct(call: Call) -> Value:
    """Build an array; the compact form leaves NULLs out."""
    return write_array(call.values(), compact=call.name.endswith("COMPACT"))


@expression(exp.Array)
def array_constant(translation: Translation, node: exp.Array, scope: Scope) -> Value:
    """``[1, 2]``."""
    return write_array([translation.value(part, scope) for part in node.expressions], compact=False)


def write_array(values: list[Value], *, compact: bool) -> Value:
    """Write an array of values."""
    if not values:
        return Value("CAST('[]' AS JSON)", t.ARRAY, nullable=False)
    parts = ", ".join("CAST(NULL AS JSON)" if value.type.kind == "NULL" else as_variant(value).sql for value in values)
    volatile = any(value.volatile for value in values)
    sql = f"sf_list_to_array([{parts}])" if compact else f"json_array({parts})"
    return Value(sql, t.ARRAY, nullable=False, volatile=volatile)


declare(
    "ARRAY_SIZE",
    (None,),
    t.INTEGER,
    "CASE WHEN json_type({0}) = 'ARRAY' THEN CAST(json_array_length({0}) AS BIGINT) END",
)
declare("OBJECT_KEYS", (t.VARIANT,), t.ARRAY, "to_json(list_sort(json_keys({0})))")
declare("ARRAY_CONTAINS", (t.VARIANT, t.ARRAY), t.BOOLEAN, "list_contains(sf_elements({1}), json({0}))")
declare(
    "ARRAY_POSITION",
    (t.VARIANT, t.ARRAY),
    t.INTEGER,
    "nullif(CAST(list_position(sf_elements({1}), json({0})) AS BIGINT), 0) - 1",
)
declare("ARRAY_CAT", (t.ARRAY, t.ARRAY), t.ARRAY, "sf_array(list_concat(sf_elements({0}), sf_elements({1})))")
declare("ARRAY_APPEND", (t.ARRAY, t.VARIANT), t.ARRAY, "sf_array(list_append(sf_elements({0}), coalesce({1}, 'null')))")
declare(
    "ARRAY_PREPEND", (t.ARRAY, t.VARIANT), t.ARRAY, "sf_array(list_prepend(coalesce({1}, 'null'), sf_elements({0})))"
)
declare(
    "ARRAY_COMPACT", (t.ARRAY,), t.ARRAY, "sf_array(list_filter(sf_elements({0}), lambda e: json_type(e) <> 'NULL'))"
)
declare("ARRAY_DISTINCT", (t.ARRAY,), t.ARRAY, "sf_array(sf_list_distinct(sf_elements({0})))")
declare("ARRAY_REVERSE", (t.ARRAY,), t.ARRAY, "sf_array(list_reverse(sf_elements({0})))")
declare(
    "ARRAY_FLATTEN",
    (t.ARRAY,),
    t.ARRAY,
    "sf_array_flatten({0})",
)
declare(
    "ARRAY_INTERSECTION",
    (t.ARRAY, t.ARRAY),
    t.ARRAY,
    "sf_array(list_filter(sf_list_distinct(sf_elements({0})), lambda e: list_contains(sf_elements({1}), e)))",
)
declare(
    "ARRAY_EXCEPT",
    (t.ARRAY, t.ARRAY),
    t.ARRAY,
    "sf_array(list_filter(sf_elements({0}), lambda e: NOT list_contains(sf_elements({1}), e)))",
)
declare("ARRAYS_OVERLAP", (t.ARRAY, t.ARRAY), t.BOOLEAN, "list_has_any(sf_elements({0}), sf_elements({1}))")
declare(
    "ARRAY_TO_STRING",
    (t.ARRAY, t.TEXT),
    t.TEXT,
    "sf_join(list_transform(sf_elements({0}), lambda e: coalesce(sf_json_text(e), '')), {1})",
)


@function("ARRAYS_ZIP")
def arrays_zip(call: Call) -> Value:
    """Put elements of one place together in objects with the keys $1, $2 and so on; short arrays are filled up."""
    arrays = [call.as_type(index, t.ARRAY).sql for index in range(len(call))]
    lists = [f"sf_elements({array})" for array in arrays]
    pairs = " || ',' || ".join(
        f"""'"${index + 1}":' || coalesce({elements}[i], 'null')""" for index, elements in enumerate(lists)
    )
    size = f"greatest({', '.join(f'len({elements})' for elements in lists)})"
    missing = " OR ".join(f"{array} IS NULL" for array in arrays)
    sql = f"sf_array(list_transform(range(1, {size} + 1), lambda i: '{{' || {pairs} || '}}'))"
    return call.build(f"CASE WHEN {missing} THEN NULL ELSE {sql} END", t.ARRAY)


declare("ARRAY_SLICE", (t.ARRAY, t.INTEGER, t.INTEGER), t.ARRAY, "sf_array_slice({0}, {1}, {2})")
declare("ARRAY_MIN", (t.ARRAY,), t.VARIANT, "sf_array_extreme({0}, 1)")
declare("ARRAY_MAX", (t.ARRAY,), t.VARIANT, "sf_array_extreme({0}, -1)")
declare("ARRAY_INSERT", (t.ARRAY, t.INTEGER, t.VARIANT), t.ARRAY, "sf_array_insert({0}, {1}, coalesce({2}, 'null'))")
declare(
    "ARRAY_REMOVE", (t.ARRAY, t.VARIANT), t.ARRAY, "sf_array(list_filter(sf_elements({0}), lambda e: e <> json({1})))"
)
declare("ARRAY_REMOVE_AT", (t.ARRAY, t.INTEGER), t.ARRAY, "sf_array_remove_at({0}, {1})")
declare(
    "ARRAY_GENERATE_RANGE",
    (t.INTEGER, t.INTEGER, t.INTEGER),
    t.ARRAY,
    "to_json(range({0}, {1}))",
    "to_json(range({0}, {1}, {2}))",
)
declare("STRIP_NULL_VALUE", (t.VARIANT,), t.VARIANT, "CASE WHEN json_type({0}) = 'NULL' THEN NULL ELSE {0} END")
declare("TYPEOF", (t.VARIANT,), t.TEXT, "sf_typeof({0})")


@function("ARRAY_SORT")
def array_sort(call: Call) -> Value:
    """Sort an array: numbers by value, texts by their letters."""
    descending = call.constant(1, True) is False
    return call.build(f"sf_array_sort({call.as_type(0, t.ARRAY).sql}, {-1 if descending else 1})", t.ARRAY)


@function("OBJECT_INSERT")
def object_insert(call: Call) -> Value:
    """Add a key; with the fourth argument TRUE an existing one is replaced."""
    target, key = call.as_type(0, t.OBJECT), as_text(call.value(1))
    value = call.value(2)
    entry = "CAST(NULL AS JSON)" if value.type.kind == "NULL" else as_variant(value).sql
    update = as_condition(call.value(3)) if len(call) > 3 else None
    if update is not None and update.constant is True:
        return call.build(f"sf_object_insert({target.sql}, {key.sql}, {entry})", t.OBJECT)
    clash = runtime_error_call(100069, f"'duplicate key ' || {key.sql}")
    kept = "" if update is None else f" AND NOT {update.sql}"
    return call.build(
        f"CASE WHEN list_contains(json_keys({target.sql}), {key.sql}){kept} THEN {clash}"
        f" ELSE sf_object_insert({target.sql}, {key.sql}, {entry}) END",
        t.OBJECT,
    )


@function("OBJECT_DELETE", "OBJECT_PICK")
def object_select(call: Call) -> Value:
    """Keep or leave out keys."""
    keys = ", ".join(as_text(value).sql for value in call.values(1))
    if len(call) == 2 and call.value(1).type.kind == "ARRAY":
        keys_sql = f"list_transform(sf_elements({call.value(1).sql}), lambda e: sf_json_text(e))"
    else:
        keys_sql = f"[{keys}]"
    word = "" if call.name == "OBJECT_PICK" else "NOT "
    target = call.as_type(0, t.OBJECT).sql
    return call.build(
        f"sf_entries_to_object(list_filter(sf_entries({target}), lambda e: {word}list_contains({keys_sql}, e.k)))",
        t.OBJECT,
    )
