"""SAMPLE: a random part of a relation's rows, the same one in each run if a seed is given."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from firnline_sandbox.errors import invalid_argument, syntax_error, unsupported
from firnline_sandbox.translate.functions_session import unit_interval
from firnline_sandbox.translate.scopes import ROW, Scope
from firnline_sandbox.translate.surroundings import Relation
from firnline_sandbox.translate.values import Value
from firnline_sandbox.types import INTEGER

_MOST_ROWS: Final = 1_000_000
_METHODS: Final = frozenset({"BERNOULLI", "ROW", "SYSTEM", "BLOCK"})

if TYPE_CHECKING:
    from sqlglot import exp

    from firnline_sandbox.translate.dispatch import Translation


def sample(translation: Translation, node: exp.TableSample, relation: Relation) -> Relation:
    """Keep each row with a probability, or a number of rows.

    Block sampling is done by row, which is as random.
    """
    args = node.args
    if any(args.get(part) for part in ("bucket_numerator", "bucket_denominator", "bucket_field", "expressions")):
        raise unsupported("SAMPLE of buckets")
    method = args.get("method")
    if method is not None and method.name.upper() not in _METHODS:
        raise syntax_error(f"unexpected '{method.name}'.")
    seed = translation.value(args["seed"], Scope()).constant if args.get("seed") is not None else None
    if seed is None:
        seed = secrets.randbits(62)
    alias = translation.alias()
    numbered = f"(SELECT *, row_number() OVER () AS {ROW} FROM {relation.sql}) AS {alias}"
    chance = f"hash({int(seed)}, {alias}.{ROW})"
    kept = f"SELECT {alias}.* EXCLUDE ({ROW}) FROM {numbered}"
    if args.get("size") is not None:
        size = translation.value(args["size"], Scope())
        if isinstance(size.constant, int) and size.constant > _MOST_ROWS:
            raise invalid_argument(f"invalid sample size {size.constant}: it is at most {_MOST_ROWS}")
        return Relation(f"({kept} ORDER BY {chance} LIMIT {size.sql})", relation.columns)
    percent = translation.value(args["percent"], Scope()).sql
    unit = unit_interval(Value(chance, INTEGER))
    return Relation(f"({kept} WHERE {unit} * 100 < {percent})", relation.columns)
