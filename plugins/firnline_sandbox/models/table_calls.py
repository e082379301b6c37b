"""Calls of models' table functions in FROM clauses, rewritten into queries of functions that give arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firnline_sandbox.errors import unsupported
from firnline_sandbox.models.call_syntax import closing_of, split_at_commas
from firnline_sandbox.models.inference import argument_type, provide_function, typed_arguments
from firnline_sandbox.models.lookup import room_of
from firnline_sandbox.statements.scanner import Scanner, quote_identifier
from firnline_sandbox.statements.words import lex

if TYPE_CHECKING:
    from firnline_sandbox.context import Context
    from firnline_sandbox.models.call_syntax import FunctionCall
    from firnline_sandbox.models.manifest import Method
    from firnline_sandbox.models.objects import ModelVersion

RESULT: Final = '"FIRNLINE$R"'


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePlace:
    """Where a table function stands: the relation before it, the columns of PARTITION BY, and the text's range."""

    relation: str
    partition: tuple[str, ...] | None
    start: int
    end: int


def rewrite_table_call(context: Context, sql: str, call: FunctionCall, version: ModelVersion, method: Method) -> str:
    """Write a query in the place of ``t, TABLE(MODEL(m)!F(args) [OVER (PARTITION BY p, ...)])`` in a FROM clause.

    A function of whole partitions gives the partition's columns, NULL for the relation's others, and its outputs.
    One that takes rows as they come gives the relation's columns and its outputs.

    Raises:
        ProgrammingError: 2, there is more in front of the function than one relation.
    """
    place = _table_place(sql, call)
    partitions = place.partition is not None
    name, _ = provide_function(context, room_of(context), version, method, partitions=partitions)
    arguments = ", ".join(typed_arguments(method, call.arguments))
    write = _query_of_partitions if partitions else _query_of_rows
    return f"{sql[: place.start]} ({write(place, quote_identifier(name), arguments, method)}){sql[place.end :]}"


def _query_of_rows(place: TablePlace, function: str, arguments: str, method: Method) -> str:
    # S608 here and below: names are quoted, and the rest is text of the query itself.
    inner = f"SELECT *, {function}({arguments}) AS {RESULT} FROM {place.relation}"  # noqa: S608
    return f"SELECT r.* EXCLUDE ({RESULT}), {_outputs(method, f'r.{RESULT}')} FROM ({inner}) AS r"  # noqa: S608


def _query_of_partitions(place: TablePlace, function: str, arguments: str, method: Method) -> str:
    keys = {f'"FIRNLINE$P{position}"': text for position, text in enumerate(place.partition or ())}
    named_keys = ", ".join(f"{text} AS {key}" for key, text in keys.items())
    grouped = (
        f"SELECT {named_keys}, {function}(ARRAY_AGG(ARRAY_CONSTRUCT({arguments}))) AS {RESULT} "  # noqa: S608
        f"FROM {place.relation} GROUP BY {', '.join(keys.values())}"
    )
    rows = (
        f"SELECT g.* EXCLUDE ({RESULT}), {_outputs(method, 'r.VALUE')} "  # noqa: S608
        f"FROM ({grouped}) AS g, LATERAL FLATTEN(INPUT => g.{RESULT}) AS r"
    )
    # A constant, such as the 1 that stands for one partition of all rows, is no column of the relation.
    columns = ", ".join(f"o.{key} AS {text}" for key, text in keys.items() if not text[0].isdigit())
    kept = f"t.* REPLACE ({columns})" if columns else "t.*"
    outputs = ", ".join(f"o.{quote_identifier(output.name)}" for output in method.outputs)
    # No row of the relation joins: its columns are there, and NULL.
    return f"SELECT {kept}, {outputs} FROM ({rows}) AS o LEFT JOIN {place.relation} AS t ON 1 = 0"  # noqa: S608


def _outputs(method: Method, array: str) -> str:
    return ", ".join(
        f"CAST({array}[{position}] AS {argument_type(output).sql}) AS {quote_identifier(output.name)}"
        for position, output in enumerate(method.outputs)
    )


def _table_place(sql: str, call: FunctionCall) -> TablePlace:
    words = lex(sql)
    first = next(index for index, word in enumerate(words) if word.start == call.start) - 2  # TABLE
    keyword = next((index for index in range(first, -1, -1) if words[index].keyword == "FROM"), None)
    if keyword is None or words[first - 1].keyword != ",":
        raise unsupported("a table function of a model that does not stand after one relation and a comma")
    relation = Scanner(sql[words[keyword].end : words[first - 1].start])
    name = relation.name()
    relation.expect_end()
    after = Scanner(sql)
    after.position = next(index for index, word in enumerate(words) if word.end == call.end) + 1
    partition = None
    if after.take("OVER"):
        opening = after.position
        after.expect("(", "PARTITION", "BY")
        closing = closing_of(words, opening)
        partition = split_at_commas(sql, words, after.position - 1, closing)
        after.position = closing + 1
    after.expect(")")
    return TablePlace(
        relation=".".join(quote_identifier(part) for part in name),
        partition=partition,
        start=words[keyword].end + 1,
        end=after.words[after.position - 1].end,
    )
