"""The words of a statement by Snowflake's lexical rules, and a cursor over them.

The rules: quoted identifiers, ``''`` and backslash escapes, ``$$`` texts, three kinds of comment, ``?`` binds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.errors import missing_variable, syntax_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_LEXER: Final = re.compile(
    r"""
      (?P<space>\s+|--[^\n]*|/\*.*?\*/|//[^\n]*)
    | (?P<dollars>\$\$.*?\$\$)
    | (?P<string>'(?:[^'\\]|''|\\.)*')
    | (?P<quoted>"(?:[^"]|"")*")
    | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![A-Za-z_]))
    | (?P<word>[^\W\d][\w$]*|\$\w+)
    | (?P<bind>\?)
    | (?P<mark>=>|->|::|<=|>=|<>|!=|\|\||.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "f": "\f"}
_QUERY_STARTS: Final = frozenset({"SELECT", "WITH", "VALUES", "FROM"})


@dataclass(frozen=True, slots=True)
class Word:
    """One lexical element: ``kind`` is word, quoted, string, dollars, number, bind or mark."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def keyword(self) -> str:
        """Give the upper-case spelling of an unquoted word or a mark; empty for everything else."""
        return self.text.upper() if self.kind in {"word", "mark"} else ""

    @property
    def value(self) -> str:
        """Give the text without its quotes, escapes resolved."""
        match self.kind:
            case "string":
                return unescape(self.text[1:-1])
            case "dollars":
                return self.text[2:-2]
            case "quoted":
                return self.text[1:-1].replace('""', '"')
            case _:
                return self.text


def unescape(body: str) -> str:
    """Resolve ``''`` and backslash escapes in the body of a string literal."""

    def replaced(found: re.Match[str]) -> str:
        mark = found[0]
        if mark == "''":
            return "'"
        escape = mark[1:]
        if escape[0] in "xu" and len(escape) > 1:
            return chr(int(escape[1:], 16))
        return _ESCAPES.get(escape, escape)

    return re.sub(r"''|\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", replaced, body, flags=re.DOTALL)


def find_variable(variables: Mapping[str, Any], name: str) -> Any:
    """Give a session variable's value.

    Raises:
        ProgrammingError: 2211, there is none of this name.
    """
    if name not in variables:
        raise missing_variable(name)
    return variables[name]


def lex(sql: str) -> list[Word]:
    """Cut a text into its words, leaving out white space and comments."""
    words = []
    for found in _LEXER.finditer(sql):
        kind = found.lastgroup or "mark"
        if kind != "space":
            words.append(Word(kind, found[0], found.start(), found.end()))
    return words


def leading_words(sql: str, limit: int = 12) -> list[str]:
    """Give the first unquoted words of a statement in upper case, up to the first other thing."""
    words: list[str] = []
    for found in _LEXER.finditer(sql):
        if found.lastgroup == "space":
            continue
        if found.lastgroup != "word" or len(words) == limit:
            break
        words.append(found[0].upper())
    return words


class WordCursor:
    """A cursor over the words of one statement: looking ahead, taking, refusing."""

    def __init__(self, sql: str, params: Sequence[Any] = (), variables: Mapping[str, Any] | None = None) -> None:
        self.sql = sql
        self.words = lex(sql)
        self.position = 0
        self._params = params
        self._variables = variables or {}

    @property
    def at_end(self) -> bool:
        """True when only a semicolon, or nothing, is left."""
        return all(word.keyword == ";" for word in self.words[self.position :])

    @property
    def here(self) -> Word:
        """Give the next word without taking it; raises a syntax error at the end."""
        if self.position >= len(self.words):
            raise syntax_error(f"line 1 at position {len(self.sql)} unexpected '<EOF>'.")
        return self.words[self.position]

    @property
    def offset(self) -> int:
        """Give the offset of the next word in the text."""
        return self.words[self.position].start if self.position < len(self.words) else len(self.sql)

    def sees(self, *keywords: str) -> bool:
        """Say whether the next words are these keywords or marks."""
        ahead = self.words[self.position : self.position + len(keywords)]
        return len(ahead) == len(keywords) and all(
            word.keyword == keyword for word, keyword in zip(ahead, keywords, strict=True)
        )

    def take(self, *keywords: str) -> bool:
        """Take these keywords if they come next."""
        if self.sees(*keywords):
            self.position += len(keywords)
            return True
        return False

    def take_any(self, *keywords: str) -> str | None:
        """Take and return whichever of these single keywords comes next."""
        for keyword in keywords:
            if self.take(keyword):
                return keyword
        return None

    def expect(self, *keywords: str) -> None:
        """Take these keywords, or raise a syntax error."""
        for keyword in keywords:
            if not self.take(keyword):
                raise self.unexpected()

    def expect_end(self) -> None:
        """Raise a syntax error unless the statement ends here."""
        if not self.at_end:
            raise self.unexpected()

    def unexpected(self) -> Exception:
        """Build the syntax error that points at the next word."""
        if self.position < len(self.words):
            word = self.words[self.position]
            line = self.sql.count("\n", 0, word.start) + 1
            column = word.start - (self.sql.rfind("\n", 0, word.start) + 1)
            where = f"line {line} at position {column} unexpected '{word.text}'."
        else:
            where = f"line 1 at position {len(self.sql)} unexpected '<EOF>'."
        error: Exception = syntax_error(where)
        return error

    def items(self, read: Callable[[], Any]) -> list[Any]:
        """Take ``( item, item, … )``, each by ``read``."""
        self.expect("(")
        found: list[Any] = []
        if self.take(")"):
            return found
        while True:
            found.append(read())
            if self.take(")"):
                return found
            self.expect(",")

    @property
    def binds_so_far(self) -> int:
        """Count the binds before the next word."""
        return sum(word.kind == "bind" for word in self.words[: self.position])

    @property
    def starts_query(self) -> bool:
        """Say whether a query comes next, in parentheses or not."""
        position = self.position
        while position < len(self.words) and self.words[position].keyword == "(":
            position += 1
        return position < len(self.words) and self.words[position].keyword in _QUERY_STARTS
