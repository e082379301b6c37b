"""Calls of models' functions in the text of a query: finding them and taking them apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firnline_sandbox.statements.scanner import Scanner
from firnline_sandbox.statements.words import lex

if TYPE_CHECKING:
    from firnline_sandbox.statements.words import Word

_OPENING: Final = frozenset("([{")
_CLOSING: Final = frozenset(")]}")
_LIST_STARTS: Final = frozenset({"SELECT", "DISTINCT", "ALL"})
_CLAUSES: Final = "FROM WHERE GROUP ORDER HAVING QUALIFY LIMIT ON USING BY VALUES SET WHEN THEN WITH JOIN OFFSET FETCH"
_EDGES: Final = _LIST_STARTS | {",", ";", "UNION", "INTERSECT", "EXCEPT", "MINUS", *_CLAUSES.split()}


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


def last_call(sql: str) -> FunctionCall | None:
    words = lex(sql)
    mark = next((index for index in reversed(range(len(words))) if words[index].keyword == "!"), None)
    if mark is None:
        return None
    scanner = Scanner(sql)
    scanner.position = mark + 1
    method = scanner.identifier()
    opening = scanner.position
    scanner.expect("(")
    closing = closing_of(words, opening)
    first, model, version = _reference(sql, words, mark)
    before = words[max(first - 2, 0) : first]
    return FunctionCall(
        model=model,
        version=version,
        method=method,
        arguments=split_at_commas(sql, words, opening, closing),
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


def split_at_commas(sql: str, words: list[Word], opening: int, closing: int) -> tuple[str, ...]:
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


def closing_of(words: list[Word], opening: int) -> int:
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


def with_labels(sql: str) -> str:
    """Name the columns that contain a call and have no alias after their text, as it stands before it is rewritten."""
    words = lex(sql)
    for mark in reversed([index for index, word in enumerate(words) if word.keyword == "!"]):
        item = _select_item(words, mark)
        if item is not None and not _has_alias(words[item[0] : item[1]]):
            first, last = words[item[0]], words[item[1] - 1]
            label = " ".join(sql[first.start : last.end].split()).upper().replace('"', '""')
            sql = f'{sql[: last.end]} AS "{label}"{sql[last.end :]}'
            words = lex(sql)
    return sql


def _select_item(words: list[Word], mark: int) -> tuple[int, int] | None:
    """Find the bounds of the SELECT list's item around a word; None if it is in none."""
    first = _edge(words, mark, -1)
    before = first
    while before >= 0 and words[before].keyword == ",":
        before = _edge(words, before - 1, -1)
    if before >= 0 and words[before].keyword in _OPENING:
        return _select_item(words, before - 1)
    if before < 0 or words[before].keyword not in _LIST_STARTS:
        return None
    return first + 1, _edge(words, mark, 1)


def _edge(words: list[Word], index: int, step: int) -> int:
    """Walk to the next comma, keyword of a clause or enclosing parenthesis."""
    inner, outer = (_CLOSING, _OPENING) if step < 0 else (_OPENING, _CLOSING)
    depth = 0
    while 0 <= index < len(words):
        keyword = words[index].keyword
        if depth == 0 and (keyword in outer or keyword in _EDGES):
            return index
        depth += (keyword in inner) - (keyword in outer)
        index += step
    return index


def _has_alias(item: list[Word]) -> bool:
    if len(item) < 2 or item[-1].kind not in {"word", "quoted"} or item[-1].keyword == "END":
        return False
    return item[-2].keyword not in {":", "::", ".", "!"}


def without_aliases(sql: str) -> str:
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
