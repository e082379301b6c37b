"""LIKE, ILIKE, RLIKE and the REGEXP functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from firnline_sandbox import types as t
from firnline_sandbox.errors import unsupported
from firnline_sandbox.translate.dispatch import Translation, expression
from firnline_sandbox.translate.functions import Call, function
from firnline_sandbox.translate.operators import as_text, combine
from firnline_sandbox.translate.values import Value, quote_text

if TYPE_CHECKING:
    from firnline_sandbox.translate.scopes import Scope


@expression(exp.Like, exp.ILike)
def like(translation: Translation, node: exp.Binary, scope: Scope) -> Value:
    """LIKE and ILIKE, also ANY and ALL of a list."""
    return _like(translation, node, scope, None)


@expression(exp.Escape)
def escape(translation: Translation, node: exp.Escape, scope: Scope) -> Value:
    """``LIKE ... ESCAPE``."""
    character = translation.value(node.expression, scope).constant
    return _like(translation, node.this, scope, str(character))


def _like(translation: Translation, node: exp.Binary, scope: Scope, character: str | None) -> Value:
    word = "ILIKE" if isinstance(node, exp.ILike) else "LIKE"
    text = as_text(translation.value(node.this, scope))
    suffix = "" if character is None else f" ESCAPE {quote_text(character)}"
    right = node.expression
    if isinstance(right, exp.Any | exp.All):
        listed = right.this.expressions if isinstance(right.this, exp.Tuple) else [right.this.unnest()]
        patterns = [as_text(translation.value(option, scope)) for option in listed]
        joiner = " OR " if isinstance(right, exp.Any) else " AND "
    else:
        patterns, joiner = [as_text(translation.value(right, scope))], ""
    nullable, volatile = combine(text, *patterns)
    tests = joiner.join(f"{text.sql} {word} {pattern.sql}{suffix}" for pattern in patterns)
    return Value(f"({tests})", t.BOOLEAN, nullable, volatile=volatile)


@expression(exp.RegexpLike)
def rlike_operator(translation: Translation, node: exp.RegexpLike, scope: Scope) -> Value:
    """``x RLIKE pattern``: the whole text must match."""
    text, pattern = (as_text(translation.value(part, scope)) for part in (node.this, node.expression))
    nullable, volatile = combine(text, pattern)
    return Value(f"regexp_full_match({text.sql}, {pattern.sql}, 's')", t.BOOLEAN, nullable, volatile=volatile)


def options(call: Call, index: int) -> str:
    """Turn REGEXP parameters into DuckDB's options."""
    given = str(call.constant(index, "c"))
    return "".join(letter for letter in given if letter in "is")


def _pattern(call: Call, parameters: int) -> str:
    """Write the pattern; with the parameter m, ``^`` and ``$`` match at each line."""
    pattern = call.as_type(1, t.TEXT).sql
    return f"('(?m)' || {pattern})" if "m" in str(call.constant(parameters, "c")) else pattern


@function("RLIKE", "REGEXP_LIKE", "REGEXP")
def rlike(call: Call) -> Value:
    """``REGEXP_LIKE(x, pattern, parameters)``."""
    text, pattern = call.as_type(0, t.TEXT), _pattern(call, 2)
    return call.build(f"regexp_full_match({text.sql}, {pattern}, {quote_text(options(call, 2) or 'c')})", t.BOOLEAN)


@function("REGEXP_REPLACE")
def regexp_replace(call: Call) -> Value:
    """``REGEXP_REPLACE(x, pattern, replacement, position, occurrence, parameters)``."""
    text, pattern = call.as_type(0, t.TEXT), _pattern(call, 5)
    replacement = call.as_type(2, t.TEXT).sql if len(call) > 2 else "''"
    position, occurrence = int(call.constant(3, 1)), int(call.constant(4, 0))
    flags = options(call, 5) + ("g" if occurrence == 0 else "")
    head, rest = (
        ("", text.sql)
        if position == 1
        else (f"left({text.sql}, {position - 1}) || ", f"substr({text.sql}, {position})")
    )
    options_sql = quote_text(flags or "c")
    if occurrence > 1:
        found = f"regexp_extract_all({rest}, {pattern}, 0, {options_sql})"
        between = f"regexp_split_to_array({rest}, {pattern}, {options_sql})"
        made = f"sf_replace_match({between}, {found}, {occurrence}, {pattern}, {replacement}, {options_sql})"
    else:
        made = f"regexp_replace({rest}, {pattern}, {replacement}, {options_sql})"
    return call.build(f"({head}{made})", t.TEXT)


def _matches(call: Call, position: int, group: int, index: int) -> str:
    text = call.as_type(0, t.TEXT).sql
    rest = text if position == 1 else f"substr({text}, {position})"
    return f"regexp_extract_all({rest}, {_pattern(call, index)}, {group}, {quote_text(options(call, index) or 'c')})"


@function("REGEXP_SUBSTR", "REGEXP_EXTRACT")
def regexp_substr(call: Call) -> Value:
    """``REGEXP_SUBSTR(x, pattern, position, occurrence, parameters, group)``."""
    position, occurrence = int(call.constant(2, 1)), int(call.constant(3, 1))
    given = str(call.constant(4, "c"))
    group = int(call.constant(5, 1 if "e" in given else 0))
    matches = _matches(call, position, group, 4)
    return call.build(f"list_extract({matches}, {occurrence})", t.TEXT, nullable=True)


@function("REGEXP_SUBSTR_ALL", "REGEXP_EXTRACT_ALL")
def regexp_substr_all(call: Call) -> Value:
    """All matches, as an array."""
    position = int(call.constant(2, 1))
    given = str(call.constant(4, "c"))
    group = int(call.constant(5, 1 if "e" in given else 0))
    return call.build(f"to_json({_matches(call, position, group, 4)})", t.ARRAY)


@function("REGEXP_COUNT")
def regexp_count(call: Call) -> Value:
    """Count the matches."""
    matches = _matches(call, int(call.constant(2, 1)), 0, 3)
    return call.build(f"len({matches})", t.INTEGER)


@function("REGEXP_INSTR")
def regexp_instr(call: Call) -> Value:
    """Give the place of a match, from 1; 0 if there is none."""
    if len(call) > 2:
        raise unsupported("REGEXP_INSTR with more than two arguments")
    text = call.as_type(0, t.TEXT).sql
    match = f"nullif(regexp_extract({text}, {call.as_type(1, t.TEXT).sql}), '')"
    return call.build(f"coalesce(strpos({text}, {match}), 0)", t.INTEGER)
