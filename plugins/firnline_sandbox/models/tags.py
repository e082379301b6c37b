"""Tags on models: set, unset, and read by SYSTEM$GET_TAG and TAG_REFERENCES."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.catalog import Tag, changed
from firnline_sandbox.errors import missing_object, unsupported
from firnline_sandbox.models.lookup import model_for
from firnline_sandbox.statements.registry import query_rewriter, system_function
from firnline_sandbox.statements.scanner import Scanner, lex, quote_text, split_name
from firnline_sandbox.statements.tags import checked_tag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlglot.tokenizer_core import Token

    from firnline_sandbox.context import Context
    from firnline_sandbox.models.objects import Model

REFERENCE_COLUMNS: Final = (
    "TAG_DATABASE",
    "TAG_SCHEMA",
    "TAG_NAME",
    "TAG_VALUE",
    "LEVEL",
    "OBJECT_DATABASE",
    "OBJECT_SCHEMA",
    "OBJECT_NAME",
    "DOMAIN",
    "COLUMN_NAME",
)
MODEL_DOMAINS: Final = frozenset({"MODULE", "MODEL"})


def set_tags(context: Context, scanner: Scanner, model: Model) -> Model:
    """Read ``t = 'value' [, ...]`` and copy the model with these tags.

    Raises:
        ProgrammingError: 2003, there is no such tag; 391801, the tag does not allow the value.
    """
    tags = dict(model.tags)
    while True:
        name = scanner.name()
        scanner.expect("=")
        tag, value = checked_tag(context, name, scanner.text())
        tags[tag] = value
        if not scanner.take(","):
            break
    scanner.expect_end()
    return changed(model, tags=tags)


def unset_tags(context: Context, scanner: Scanner, model: Model) -> Model:
    """Read ``t [, ...]`` and copy the model without these tags."""
    tags = dict(model.tags)
    while True:
        tags.pop(_tag(context, scanner.name()).full_name, None)
        if not scanner.take(","):
            break
    scanner.expect_end()
    return changed(model, tags=tags)


@system_function("SYSTEM$GET_TAG")
def get_tag(context: Context, arguments: list[Any]) -> str | None:
    """``SYSTEM$GET_TAG('tag', 'model', 'MODULE')``."""
    tag_name, object_name, domain = (str(argument) for argument in arguments)
    if domain.upper() not in MODEL_DOMAINS:
        raise unsupported(f"SYSTEM$GET_TAG of a {domain.lower()}")
    tag = _tag(context, split_name(tag_name))
    return model_for(context, split_name(object_name)).tags.get(tag.full_name)


@query_rewriter
def rewrite_tag_references(context: Context, tokens: list[Token], sql: str) -> str:
    """Write the rows in the place of ``TABLE(db.INFORMATION_SCHEMA.TAG_REFERENCES('model', 'MODULE'))``."""
    if all(token.text.upper() != "TAG_REFERENCES" for token in tokens):
        return sql
    words = lex(sql)
    for index, word in enumerate(words):
        if word.keyword == "TAG_REFERENCES":
            first = index
            while first >= 2 and words[first - 1].keyword == ".":
                first -= 2
            scanner = Scanner(sql)
            scanner.position = index + 1
            arguments = scanner.items(scanner.value)
            is_table = [each.keyword for each in words[max(first - 2, 0) : first]] == ["TABLE", "("]
            if is_table and len(arguments) == 2 and str(arguments[1]).upper() in MODEL_DOMAINS and scanner.sees(")"):
                rows = _reference_rows(model_for(context, split_name(str(arguments[0]))))
                return sql[: words[first - 2].start] + rows + sql[scanner.here.end :]
    return sql


def _reference_rows(model: Model) -> str:
    home = (model.database, model.schema, model.name, "MODULE", None)
    rows = [(*split_name(name), value, "MODULE", *home) for name, value in model.tags.items()]
    selects = [_select(row) for row in rows] or [f"{_select((None,) * len(REFERENCE_COLUMNS))} WHERE 1 = 0"]
    return f"({' UNION ALL '.join(selects)})"


def _select(row: Sequence[str | None]) -> str:
    values = ("NULL" if value is None else _literal(value) for value in row)
    return "SELECT " + ", ".join(
        f"CAST({value} AS VARCHAR) AS {name}" for name, value in zip(REFERENCE_COLUMNS, values, strict=True)
    )


def _literal(value: str) -> str:
    return quote_text(value.replace("\\", "\\\\"))


def _tag(context: Context, parts: Sequence[str]) -> Tag:
    full = context.qualify(parts)
    found = context.catalog.find(Tag, full)
    if found is None:
        raise missing_object("tag", ".".join(full))
    return found
