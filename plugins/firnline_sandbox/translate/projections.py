"""The SELECT list: names of output columns, `*` and its EXCLUDE, REPLACE, RENAME and ILIKE, aliases used further on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlglot import exp

from firnline_sandbox.errors import invalid_argument, invalid_identifier, unsupported
from firnline_sandbox.translate.parsing import identifier_name
from firnline_sandbox.translate.scopes import physical_names
from firnline_sandbox.translate.values import Value, quote_name, typed
from firnline_sandbox.types import NULL, TEXT, Column

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from firnline_sandbox.translate.dispatch import Translation
    from firnline_sandbox.translate.scopes import Scope, Source

_SPACES: Final = re.compile(r"\s+")
_NEVER_COLUMNS: Final = frozenset({"INTERVAL", "ROW"})  # they live inside of expressions alone
_UNLISTED: Final = ("METADATA$", "$1:")  # columns of staged files that `*` leaves out


@dataclass(frozen=True, slots=True)
class Output:
    """One column of a SELECT: its name and its expression."""

    name: str
    value: Value


class Projections:
    """A SELECT list. Expressions are translated when first needed, for they may refer to each other's aliases."""

    def __init__(self, translation: Translation, nodes: Sequence[exp.Expr], scope: Scope) -> None:
        self.translation = translation
        self.nodes = nodes
        self.scope = scope
        self._values: dict[int, Value] = {}
        self._pending: set[int] = set()
        for index, node in enumerate(nodes):
            if isinstance(node, exp.Alias):
                scope.aliases.setdefault(identifier_name(node.args["alias"]), lambda index=index: self._value(index))  # type: ignore[misc]

    def _value(self, index: int) -> Value:
        if index not in self._values:
            if index in self._pending:  # `a + 1 AS a` where no relation has a column `a`
                raise invalid_identifier(identifier_name(self.nodes[index].args["alias"]))
            self._pending.add(index)
            try:
                node = self.nodes[index]
                self._values[index] = self.translation.value(
                    node.this if isinstance(node, exp.Alias) else node, self.scope
                )
            finally:
                self._pending.discard(index)
        return self._values[index]

    def outputs(self) -> list[Output]:
        """Translate the whole list."""
        found: list[Output] = []
        for index, node in enumerate(self.nodes):
            star = star_of(node)
            if star is not None:
                found += expand_star(self.translation, node, star, self.scope)
            else:
                found.append(Output(output_name(node), self._value(index)))
        if not found:
            raise invalid_argument("SELECT with no columns")
        return found


def star_of(node: exp.Expr) -> exp.Star | None:
    """Give the star of ``*`` or ``t.*``; None for anything else."""
    if isinstance(node, exp.Star):
        return node
    if isinstance(node, exp.Column) and isinstance(node.this, exp.Star):
        return node.this
    return None


def output_name(node: exp.Expr) -> str:
    """Name an output column as Snowflake does: by its alias, its column, or its source text in upper case."""
    if isinstance(node, exp.Alias):
        return identifier_name(node.args["alias"])
    if isinstance(node, exp.Column):
        if isinstance(node.this, exp.Parameter):
            return f"${node.this.name}"
        return identifier_name(node.this)
    source = node.meta.get("source")
    return _SPACES.sub(" ", str(source if source is not None else node.sql("snowflake"))).upper()


def expand_star(translation: Translation, node: exp.Expr, star: exp.Star, scope: Scope) -> list[Output]:
    """Expand ``*`` or ``t.*``.

    Raises:
        ProgrammingError: 904, the relation or a named column is absent.
    """
    outputs = list(_star_outputs(node, scope))
    if not outputs:
        raise invalid_argument("SELECT with no columns")
    args = star.args
    if (pattern := args.get("ilike")) is not None:
        outputs = [output for output in outputs if _like(output.name, pattern.name)]
    if (excluded := args.get("except_")) is not None:
        names = [identifier_name(part.this if isinstance(part, exp.Column) else part) for part in excluded]
        _require(names, outputs)
        outputs = [output for output in outputs if output.name not in names]
    for alias in args.get("replace") or ():
        name = identifier_name(alias.args["alias"])
        _require([name], outputs)
        value = translation.value(alias.this, scope)
        outputs = [Output(name, value) if output.name == name else output for output in outputs]
    for alias in args.get("rename") or ():
        old, new = identifier_name(alias.this.this), identifier_name(alias.args["alias"])
        _require([old], outputs)
        outputs = [Output(new, output.value) if output.name == old else output for output in outputs]
    return outputs


def _star_outputs(node: exp.Expr, scope: Scope) -> Iterator[Output]:
    if isinstance(node, exp.Column):
        parts = (node.args.get("catalog"), node.args.get("db"), node.args.get("table"))
        qualifier = tuple(identifier_name(part) for part in parts if part is not None)
        source = scope.find_source(qualifier)
        if source is None:
            raise invalid_identifier(".".join((*qualifier, "*")))
        yield from _source_outputs(source, frozenset())
        return
    for name, value in scope.merged.items():
        yield Output(name, value)
    for source in scope.sources:
        yield from _source_outputs(source, source.hidden)


def _source_outputs(source: Source, hidden: frozenset[str]) -> Iterator[Output]:
    for column in source.columns:
        if column.name not in hidden and not (source.open_ended and column.name.startswith(_UNLISTED)):
            yield Output(column.name, source.value(column))


def _require(names: Sequence[str], outputs: Sequence[Output]) -> None:
    known = {output.name for output in outputs}
    for name in names:
        if name not in known:
            raise invalid_identifier(name)


def _like(name: str, pattern: str) -> bool:
    expression = "".join({"%": ".*", "_": "."}.get(letter, re.escape(letter)) for letter in pattern)
    return re.fullmatch(expression, name, re.IGNORECASE | re.DOTALL) is not None


def write_outputs(outputs: Sequence[Output]) -> tuple[str, tuple[Column, ...]]:
    """Write the SELECT list and describe its columns."""
    columns = []
    parts = []
    for output, physical in zip(outputs, physical_names(output.name for output in outputs), strict=True):
        value = output.value
        if value.type.kind in _NEVER_COLUMNS:
            raise unsupported(f"a column of type {value.type.kind}")
        type_ = TEXT if value.type == NULL else value.type
        parts.append(f"{typed(value)} AS {quote_name(physical)}")
        columns.append(Column(output.name, type_, value.nullable, physical))
    return ", ".join(parts), tuple(columns)
