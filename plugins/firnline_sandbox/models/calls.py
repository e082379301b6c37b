"""Calls of models' functions in queries, rewritten into calls of functions that the translator knows.

``MODEL(db.schema.m, v)!PREDICT(a, b)`` · ``m!PREDICT(a, b)`` (the default version) ·
``WITH mv AS MODEL m VERSION v SELECT mv!PREDICT(a, b)``
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from firnline_sandbox.errors import unknown_function
from firnline_sandbox.models.call_syntax import last_call, with_labels, without_aliases
from firnline_sandbox.models.inference import provide_function, typed_arguments
from firnline_sandbox.models.lookup import model_for, room_of
from firnline_sandbox.models.table_calls import rewrite_table_call
from firnline_sandbox.statements.registry import query_rewriter
from firnline_sandbox.statements.scanner import quote_identifier

if TYPE_CHECKING:
    from sqlglot.tokenizer_core import Token

    from firnline_sandbox.context import Context
    from firnline_sandbox.models.call_syntax import FunctionCall
    from firnline_sandbox.models.manifest import Method
    from firnline_sandbox.models.objects import ModelVersion


@query_rewriter
def rewrite_calls(context: Context, tokens: list[Token], sql: str) -> str:
    """Rewrite all calls of models' functions, the last one in the text first: inner calls come before outer ones."""
    if all(token.text != "!" for token in tokens):
        return sql
    sql = without_aliases(with_labels(sql))
    while (call := last_call(sql)) is not None:
        model = model_for(context, call.model)
        version = model.version(call.version)
        method = room_of(context).manifest(version).method(call.method)
        if method is None or method.is_table_function != call.in_table:
            raise unknown_function(f"{model.name}!{call.method}")
        if call.in_table:
            sql = rewrite_table_call(context, sql, call, version, method)
        else:
            sql = sql[: call.start] + _rewritten(context, call, version, method) + sql[call.end :]
    return sql


def _rewritten(context: Context, call: FunctionCall, version: ModelVersion, method: Method) -> str:
    arguments = typed_arguments(method, call.arguments)
    name, is_object = provide_function(context, room_of(context), version, method)
    text = f"{quote_identifier(name)}({', '.join(arguments)})"
    return text if is_object else f"CAST({text} AS {method.return_type})"
