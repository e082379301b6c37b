"""From Snowflake SQL to DuckDB SQL, with every expression's Snowflake type known on the way."""

from __future__ import annotations

# These register themselves as translators of expressions and functions.
from firnline_sandbox.translate import (  # noqa: F401
    conditionals,
    functions_aggregate,
    functions_date,
    functions_lambda,
    functions_numeric,
    functions_semi,
    functions_session,
    functions_text,
    functions_variant,
    intervals,
    literals,
    operators,
    text_tests,
    windows,
)
from firnline_sandbox.translate.macros import MACROS
from firnline_sandbox.translate.parsing import (
    leading_words,
    parse_statement,
    parse_type,
    resolve_name,
    split_statements,
    tokenize,
)
from firnline_sandbox.translate.query import translate_condition, translate_expression, translate_query
from firnline_sandbox.translate.surroundings import Relation, Surroundings, Translated

__all__ = [
    "MACROS",
    "Relation",
    "Surroundings",
    "Translated",
    "leading_words",
    "parse_statement",
    "parse_type",
    "resolve_name",
    "split_statements",
    "tokenize",
    "translate_condition",
    "translate_expression",
    "translate_query",
]
