"""Calls of models' functions in queries, rewritten into calls of functions that the translator knows.

``MODEL(db.schema.m, v)!PREDICT(a, b)`` · ``m!PREDICT(a, b)`` (the default version) ·
``WITH mv AS MODEL m VERSION v SELECT mv!PREDICT(a, b)``
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from firnline_sandbox.errors import error, unknown_function, unsupported
from firnline_sandbox.models.inference import argument_type, provide_function
from firnline_sandbox.models.lookup import model_for, room_of
from firnline_sandbox.statements.registry import query_rewriter
from firnline_sandbox.statements.scanner import Scanner, lex, quote_identifier

if TYPE_CHECKING:
    from sqlglot.tokens import Token

    from firnline_sandbox.context import Context
    from firnline_sandbox.models.manifest import Method
    from firnline_sandbox.statements.scanner import Word

_OPENING = frozenset("([{")
_CLOSING = frozenset(")]}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCall:
    """One call in the text of a query. ``version`` is a resolved name or alias."""

    model: tuple[str, ...]
    version: str
    method: str
    arguments: tuple[str, ...]
    start: int
    end: int
    in_table: bool


@query_rewriter
def rewrite_calls(context: Context, tokens: list[Token], sql: str) -> str:
    """Rewrite all calls of models' functions, the last one in the text first: inner calls come before outer ones."""
    if all(token.text != "!" for token in tokens):
        return sql
    sql = _without_aliases(sql)
    while (call := _last_call(sql)) is not None:
        sql = sql[: call.start] + _rewritten(context, call) + sql[call.end :]
    return sql


def _rewritten(context: Context, call: FunctionCall) -> str:
    model = model_for(context, call.model)
    version = model.version(call.version)
    room = room_of(context)
    method = room.manifest(version).method(call.method)
    if method is None:
        raise unknown_function(f"{model.name}!{call.method}")
    if method.is_table_function or call.in_table:
        raise unsupported(f"table functions of models ({model.name}!{call.method})")
    arguments = _arguments(method, call.arguments)
    name, is_object = provide_function(context, room, version, method)
    text = f"{quote_identifier(name)}({', '.join(arguments)})"
    return text if is_object else f"CAST({text} AS {method.return_type})"


def _arguments(method: Method, given: tuple[str, ...]) -> list[str]:
    """Bring the arguments to the types of the parameters, and fill in those that have a default."""
    count = len(method.inputs)
    if not method.required <= len(given) <= count:
        few = len(given) < method.required
        raise error(
            938 if few else 939,
            "22023",
            f"SQL compilation error: error line 1 at position 0\n{'not enough' if few else 'too many'} arguments for "
            f"function [{method.name}], expected {count}, got {len(given)}",
        )
    defaults = [argument.default or "NULL" for argument in method.inputs[len(given) :]]
    pairs = zip((*given, *defaults), method.inputs, strict=True)
    return [f"CAST({text} AS {argument_type(argument).sql})" for text, argument in pairs]


def _last_call(sql: str) -> FunctionCall | None:
    words = lex(sql)
    mark = next((index for index in reversed(range(len(words))) if words[index].keyword == "!"), None)
    if mark is None:
        return None
    scanner = Scanner(sql)
    scanner.position = mark + 1
    method = scanner.identifier()
    opening = scanner.position
    scanner.expect("(")
    closing = _closing(words, opening)
    first, model, version = _reference(sql, words, mark)
    before = words[max(first - 2, 0) : first]
    return FunctionCall(
        model=model,
        version=version,
        method=method,
        arguments=_split(sql, words, opening, closing),
        start=words[first].start,
        end=words[closing].end,
        in_table=[word.keyword for word in before] == ["TABLE", "("],
    )


def _reference(sql: str, words: list[Word], mark: int) -> tuple[int, tuple[str, ...], str]:
    """Read what stands before the ``!``: where it begins, the model's name, and the version's."""
    if mark and words[mark - 1].keyword == ")":
        opening = _opening(words, mark - 1)
        if opening and words[opening - 1].keyword == "MODEL":
            inside = Scanner(sql[words[opening].end : words[mark - 1].start])
            name = inside.name()
            version = inside.identifier() if inside.take(",") else "DEFAULT"
            inside.expect_end()
            return opening - 1, name, version
    first = mark - 1
    while first >= 2 and words[first - 1].keyword == ".":
        first -= 2
    scanner = Scanner(sql[words[max(first, 0)].start : words[mark].start])
    name = scanner.name()
    scanner.expect_end()
    return first, name, "DEFAULT"


def _split(sql: str, words: list[Word], opening: int, closing: int) -> tuple[str, ...]:
    """Cut the text between two parentheses at the commas that are not inside of others."""
    if closing == opening + 1:
        return ()
    depth, start, parts = 0, words[opening].end, []
    for word in words[opening + 1 : closing]:
        depth += (word.keyword in _OPENING) - (word.keyword in _CLOSING)
        if depth == 0 and word.keyword == ",":
            parts.append(sql[start : word.start].strip())
            start = word.end
    return (*parts, sql[start : words[closing].start].strip())


def _closing(words: list[Word], opening: int) -> int:
    depth = 0
    for index in range(opening, len(words)):
        depth += (words[index].keyword in _OPENING) - (words[index].keyword in _CLOSING)
        if depth == 0:
            return index
    scanner = Scanner("")
    raise scanner.unexpected()


def _opening(words: list[Word], closing: int) -> int:
    depth = 0
    for index in range(closing, -1, -1):
        depth += (words[index].keyword in _CLOSING) - (words[index].keyword in _OPENING)
        if depth == 0:
            return index
    scanner = Scanner("")
    raise scanner.unexpected()


def _without_aliases(sql: str) -> str:
    """Take ``mv AS MODEL m [VERSION v]`` out of WITH clauses, and write ``MODEL(m, v)!`` where ``mv!`` stands."""
    while True:
        words = lex(sql)
        found = next((index for index in range(1, len(words) - 2) if _defines_alias(words, index)), None)
        if found is None:
            return sql
        scanner = Scanner(sql)
        scanner.position = found
        alias = scanner.identifier()
        scanner.expect("AS", "MODEL")
        start_of_name = scanner.offset
        scanner.name()
        end_of_name = scanner.words[scanner.position - 1].end
        reference = sql[start_of_name:end_of_name]
        if scanner.take("VERSION"):
            start_of_version = scanner.offset
            scanner.identifier()
            reference += f", {sql[start_of_version : scanner.words[scanner.position - 1].end]}"
        sql = _cut(sql, words, found, scanner)
        sql = _replace_alias(sql, alias, f"MODEL({reference})")


def _defines_alias(words: list[Word], index: int) -> bool:
    following = [word.keyword for word in words[index + 1 : index + 3]]
    return following == ["AS", "MODEL"] and words[index - 1].keyword in {"WITH", "RECURSIVE", ","}


def _cut(sql: str, words: list[Word], first: int, scanner: Scanner) -> str:
    """Take an alias' definition out of its WITH clause, and the clause too if nothing else is in it."""
    end = scanner.words[scanner.position - 1].end
    if words[first - 1].keyword == ",":
        return sql[: words[first - 1].start] + " " + sql[end:]
    if scanner.sees(","):
        return sql[: words[first].start] + sql[scanner.here.end :]
    keyword = first - 2 if words[first - 1].keyword == "RECURSIVE" else first - 1
    return sql[: words[keyword].start] + sql[end:]


def _replace_alias(sql: str, alias: str, reference: str) -> str:
    words = lex(sql)
    for index in reversed(range(len(words) - 1)):
        word = words[index]
        is_alias = (
            word.kind in {"word", "quoted"} and (word.value if word.kind == "quoted" else word.text.upper()) == alias
        )
        qualified = index > 0 and words[index - 1].keyword == "."
        if is_alias and not qualified and words[index + 1].keyword == "!":
            sql = sql[: word.start] + reference + sql[word.end :]
    return sql
