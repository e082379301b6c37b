"""Window functions: OVER with partitions, order and frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlglot import exp

from firnline_sandbox import types as t
from firnline_sandbox.errors import COMPILATION, error, invalid_argument, unsupported
from firnline_sandbox.translate.casts import coerce
from firnline_sandbox.translate.clauses import direction
from firnline_sandbox.translate.dispatch import Translation, expression
from firnline_sandbox.translate.functions import Call, call_function, function, is_built_in, make_call
from firnline_sandbox.translate.functions_aggregate import scaled, slides
from firnline_sandbox.translate.operators import numeric
from firnline_sandbox.translate.parsing import identifier_name
from firnline_sandbox.translate.values import Value, typed

if TYPE_CHECKING:
    from firnline_sandbox.translate.scopes import Scope

_EXACT: Final = frozenset({"ROW_NUMBER", "RANK", "DENSE_RANK", "NTILE", "LAG", "LEAD", "PERCENT_RANK", "CUME_DIST"})
_VALUE_FUNCTIONS: Final = frozenset({"FIRST_VALUE", "LAST_VALUE", "NTH_VALUE"})


@expression(exp.Window)
def window(translation: Translation, node: exp.Window, scope: Scope) -> Value:
    """A function with OVER."""
    inner = node.this
    ignore_nulls: bool | None = None
    within = None
    while isinstance(inner, exp.IgnoreNulls | exp.RespectNulls | exp.WithinGroup):
        if isinstance(inner, exp.WithinGroup):
            within = inner.expression
        else:
            ignore_nulls = isinstance(inner, exp.IgnoreNulls)
        inner = inner.this
    if not isinstance(inner, exp.Anonymous):
        raise unsupported(f"window function {inner.sql('snowflake')[:80]}")
    call = make_call(translation, inner, scope)
    if slides(node) and not is_built_in(call.name):
        raise error(2302, "42601", f"{COMPILATION}Sliding window frame unsupported for function {call.name}")
    call.within = within
    call.window = node
    if ignore_nulls is not None:
        call.ignore_nulls = ignore_nulls
    call.over = f" OVER ({_specification(translation, node, scope, call.name)})"
    return call_function(call)


@expression(exp.IgnoreNulls, exp.RespectNulls)
def outside_window(translation: Translation, node: exp.Expr, scope: Scope) -> Value:
    """IGNORE NULLS after a call without OVER."""
    call = make_call(translation, node.this, scope)
    call.ignore_nulls = isinstance(node, exp.IgnoreNulls)
    return call_function(call)


def _specification(translation: Translation, node: exp.Window, scope: Scope, name: str) -> str:
    alias = node.args.get("alias")
    named = scope.windows.get(identifier_name(alias)) if alias is not None else None
    if alias is not None and named is None:
        raise invalid_argument(f"window '{identifier_name(alias)}' is not defined")
    parts = []
    partition = node.args.get("partition_by") or (named.args.get("partition_by") if named is not None else None)
    if partition:
        parts.append("PARTITION BY " + ", ".join(_key(translation, item, scope) for item in partition))
    order = node.args.get("order") or (named.args.get("order") if named is not None else None)
    if order is not None:
        keys = [_key(translation, item.this, scope) + direction(item) for item in order.expressions]
        parts.append("ORDER BY " + ", ".join(keys))
    spec = node.args.get("spec") or (named.args.get("spec") if named is not None else None)
    if name in _EXACT:
        if order is None:
            raise error(
                2303, "42601", f"{COMPILATION}Window function type [{name}] requires ORDER BY in window specification"
            )
        return " ".join(parts)
    if spec is not None:
        parts.append(_frame(translation, spec, order, scope))
    elif order is not None and name in _VALUE_FUNCTIONS:
        # Snowflake's default for these three is the whole partition; for aggregates it is RANGE up to the current row.
        parts.append("ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING")
    return " ".join(parts)


def _key(translation: Translation, node: exp.Expr, scope: Scope) -> str:
    value = translation.value(node, scope)
    return f"({value.sql})" if value.is_constant else value.sql


def _frame(translation: Translation, spec: exp.WindowSpec, order: exp.Order | None, scope: Scope) -> str:
    kind = str(spec.args["kind"]).upper()
    _check_frame(translation, kind, spec, order, scope)
    start = _bound(translation, spec.args["start"], spec.args.get("start_side"), scope)
    end = _bound(translation, spec.args.get("end"), spec.args.get("end_side"), scope)
    if spec.args.get("exclude") is not None:
        raise unsupported("EXCLUDE in a window frame")
    return f"{kind} BETWEEN {start} AND {end or 'CURRENT ROW'}"


def _check_frame(
    translation: Translation, kind: str, spec: exp.WindowSpec, order: exp.Order | None, scope: Scope
) -> None:
    """Refuse a frame that starts after its end, and a RANGE whose bounds do not fit what it is ordered by."""
    start, end = spec.args["start"], spec.args.get("end")
    ends = "CURRENT ROW" if end is None else end
    if _place(start, spec.args.get("start_side")) > _place(ends, spec.args.get("end_side")):
        raise error(2305, "42601", f"{COMPILATION}Invalid window frame: it starts after its end.")
    bounds = [translation.value(bound, scope) for bound in (start, end) if isinstance(bound, exp.Expr)]
    if kind != "RANGE" or not bounds or order is None or not order.expressions:
        return
    key = translation.value(order.expressions[0].this, scope)
    if len({bound.type.is_numeric for bound in bounds}) > 1:
        raise error(2304, "42601", f"{COMPILATION}Mixing numeric and interval frames is not supported")
    if key.type.is_numeric and any(not bound.type.is_numeric for bound in bounds):
        raise error(2304, "42601", f"{COMPILATION}numeric ORDER BY clause only allows numeric window frame boundaries")


def _place(bound: object, side: str | None) -> int:
    """Order the ends of a frame: what comes before the current row, the row, what follows."""
    return {"PRECEDING": -1, "FOLLOWING": 1}.get((side or "").upper(), 0) if bound != "CURRENT ROW" else 0


def _bound(translation: Translation, value: object, side: str | None, scope: Scope) -> str:
    if value is None:
        return ""
    if isinstance(value, exp.Expr):
        return f"{translation.value(value, scope).sql} {(side or 'PRECEDING').upper()}"
    return f"{value} {side.upper()}" if side else str(value)


@function("ROW_NUMBER", "RANK", "DENSE_RANK")
def ranking(call: Call) -> Value:
    """Number the rows of a partition."""
    _require_over(call)
    return Value(f"{call.name.lower()}(){call.over}", t.number(18), nullable=False)


@function("PERCENT_RANK", "CUME_DIST")
def relative_rank(call: Call) -> Value:
    """Give a row's relative place."""
    _require_over(call)
    return Value(f"{call.name.lower()}(){call.over}", t.FLOAT, nullable=False)


@function("NTILE")
def ntile(call: Call) -> Value:
    """Divide a partition into parts of equal size."""
    _require_over(call)
    return Value(f"ntile({call.as_type(0, t.INTEGER).sql}){call.over}", t.number(18), nullable=False)


@function("LAG", "LEAD")
def neighbour(call: Call) -> Value:
    """Give a value from a row before or after."""
    _require_over(call)
    value = call.value(0)
    arguments = [typed(value)]
    if len(call) > 1:
        arguments.append(call.as_type(1, t.INTEGER).sql)
    if len(call) > 2 and call.value(2).type.kind != "NULL":
        arguments.append(typed(coerce(call.value(2), value.type)))
    nulls = " IGNORE NULLS" if call.ignore_nulls else ""
    return Value(f"{call.name.lower()}({', '.join(arguments)}{nulls}){call.over}", value.type)


@function("FIRST_VALUE", "LAST_VALUE", "NTH_VALUE")
def nth(call: Call) -> Value:
    """Give a value from the frame's first, last or n-th row."""
    _require_over(call)
    value = call.value(0)
    arguments = [typed(value)]
    if call.name == "NTH_VALUE":
        arguments.append(call.as_type(1, t.INTEGER).sql)
    nulls = " IGNORE NULLS" if call.ignore_nulls else ""
    return Value(f"{call.name.lower()}({', '.join(arguments)}{nulls}){call.over}", value.type)


@function("RATIO_TO_REPORT")
def ratio_to_report(call: Call) -> Value:
    """Give a value's share of the partition's sum."""
    _require_over(call)
    value = numeric(call.value(0))
    quotient = f"({value.sql} / nullif(sum({value.sql}){call.over}, 0))"
    if value.type.kind == "FLOAT":
        return Value(quotient, t.FLOAT)
    type_ = scaled(value.type, 6)
    return Value(f"CAST({quotient} AS {type_.duckdb})", type_)


@function("CONDITIONAL_TRUE_EVENT")
def conditional_true_event(call: Call) -> Value:
    """Count the rows so far for which a condition holds."""
    _require_over(call)
    over = call.over.removesuffix(")") + " ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
    return Value(f"count(CASE WHEN {call.value(0).sql} THEN 1 END){over}", t.number(18), nullable=False)


def _require_over(call: Call) -> None:
    if not call.over:
        raise invalid_argument(f"Window function type does not match the function: [{call.name}] needs OVER")
