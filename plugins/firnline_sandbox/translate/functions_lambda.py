"""FILTER and TRANSFORM: functions that call a lambda expression for each element of an array."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from firnline_sandbox import types as t
from firnline_sandbox.errors import invalid_argument, unsupported
from firnline_sandbox.translate.functions import Call, function
from firnline_sandbox.translate.functions_semi import as_variant
from firnline_sandbox.translate.operators import as_condition
from firnline_sandbox.translate.parsing import identifier_name

if TYPE_CHECKING:
    from firnline_sandbox.translate.values import Value


@function("FILTER")
def filter_(call: Call) -> Value:
    """Keep the elements for which the lambda is true."""
    elements, name, body = _lambda(call)
    return call.build(f"sf_array(list_filter({elements}, lambda {name}: {as_condition(body).sql}))", t.ARRAY)


@function("TRANSFORM")
def transform(call: Call) -> Value:
    """Put what the lambda gives in each element's place."""
    elements, name, body = _lambda(call)
    made = f"coalesce({as_variant(body).sql}, 'null')" if body.type.kind != "NULL" else "CAST('null' AS JSON)"
    return call.build(f"sf_array(list_transform({elements}, lambda {name}: {made}))", t.ARRAY)


def _lambda(call: Call) -> tuple[str, str, Value]:
    """Give the elements, the lambda's argument in DuckDB, and its translated body."""
    if len(call) != 2 or not isinstance(call.nodes[1], exp.Lambda):
        raise invalid_argument(f"function {call.name} needs an array and a lambda expression")
    node = call.nodes[1]
    if len(node.expressions) != 1:
        raise unsupported(f"{call.name} with a lambda of {len(node.expressions)} arguments")
    key = identifier_name(node.expressions[0])
    inner = call.scope.child()
    inner.lambda_names = {key: t.VARIANT}
    body = call.translation.value(node.this, inner)
    return f"sf_elements({call.as_type(0, t.ARRAY).sql})", f'"{key}"', body
