"""A reader of statements that sqlglot does not take apart: most DDL, SHOW, stage and session statements.

It reads Snowflake's lexical rules (quoted identifiers, ``''`` and backslash escapes, ``$$`` texts, three kinds of
comment, ``?`` binds) and leaves queries and expressions inside a statement as text for the translator.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.errors import syntax_error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
_LOCATION: Final = re.compile(
    r"[^\s,()'\";]+(?:\"(?:[^\"]|\"\")*\"[^\s,()'\";]*)*|(?:\"(?:[^\"]|\"\")*\"[^\s,()'\";]*)+"
)
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


class Scanner:
    """A cursor over the words of one statement."""

    def __init__(self, sql: str, params: Sequence[Any] = ()) -> None:
        self.sql = sql
        self.words = lex(sql)
        self.position = 0
        self._params = params

    # -- looking and taking

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
        if self.position >= len(self.words):
            return syntax_error(f"line 1 at position {len(self.sql)} unexpected '<EOF>'.")
        word = self.words[self.position]
        line = self.sql.count("\n", 0, word.start) + 1
        column = word.start - (self.sql.rfind("\n", 0, word.start) + 1)
        return syntax_error(f"line {line} at position {column} unexpected '{word.text}'.")

    # -- names and values

    def identifier(self) -> str:
        """Take one part of a name: upper-cased unless it is quoted."""
        word = self.here
        if word.kind == "quoted":
            self.position += 1
            return word.value
        if word.kind == "word" and not word.text.startswith("$"):
            self.position += 1
            return word.text.upper()
        raise self.unexpected()

    def name(self) -> tuple[str, ...]:
        """Take a dotted name, ``IDENTIFIER(...)`` with a text or a bind, or a name in a string literal."""
        if self.sees("IDENTIFIER", "("):
            self.position += 2
            text = str(self.value())
            self.expect(")")
            return split_name(text)
        if self.here.kind in {"string", "bind", "dollars"}:
            return split_name(str(self.value()))
        parts = [self.identifier()]
        while self.take("."):
            if self.take("."):
                parts.append("PUBLIC")  # db..table means the PUBLIC schema
            parts.append(self.identifier())
        return tuple(parts)

    def value(self) -> Any:
        """Take a literal, a bind, or a bare word (as text)."""
        negative = self.take("-")
        word = self.here
        self.position += 1
        match word.kind:
            case "number":
                number: int | float = int(word.text) if word.text.isdigit() else float(word.text)
                return -number if negative else number
            case "bind":
                return self._params[self._bind_index(self.position - 1)]
            case "word" if word.keyword in {"TRUE", "FALSE"}:
                return word.keyword == "TRUE"
            case "word" if word.keyword == "NULL":
                return None
            case "string" | "dollars" | "quoted" | "word":
                return word.value
            case _:
                self.position -= 1
                raise self.unexpected()

    def _bind_index(self, position: int) -> int:
        index = sum(word.kind == "bind" for word in self.words[:position])
        if index >= len(self._params):
            raise syntax_error(f"bind variable {index + 1} not set.")
        return index

    @property
    def binds_so_far(self) -> int:
        """Count the binds before the next word."""
        return sum(word.kind == "bind" for word in self.words[: self.position])

    def text(self) -> str:
        """Take a string literal, a ``$$`` text or a bound text."""
        if self.here.kind not in {"string", "dollars", "bind"}:
            raise self.unexpected()
        return str(self.value())

    def integer(self) -> int:
        """Take a whole number."""
        value = self.value()
        if isinstance(value, bool) or not isinstance(value, int):
            self.position -= 1
            raise self.unexpected()
        return value

    def location(self) -> str:
        """Take a stage location, path or URI: a string literal, or the raw text up to the next space."""
        word = self.here
        if word.kind in {"string", "bind"}:
            return str(self.value())
        # An unquoted `file:///x` or `@s/a//b` looks like a comment to the lexer, so the text itself is read.
        found = _LOCATION.match(self.sql, word.start)
        if found is None:
            raise self.unexpected()
        self._move_to(found.end())
        return found[0]

    def _move_to(self, offset: int) -> None:
        head = self.words[: self.position]
        tail = [Word(word.kind, word.text, word.start + offset, word.end + offset) for word in lex(self.sql[offset:])]
        self.words = head + tail

    # -- lists and pieces of text

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

    def option_value(self) -> Any:
        """Take the value of an option: a literal, a list in parentheses, or nested options."""
        if not self.sees("("):
            return self.value()
        ahead = self.words[self.position + 1 : self.position + 3]
        nested = len(ahead) == 2 and ahead[0].kind == "word" and ahead[1].keyword in {"=", "=>"}
        return self.options_in_parentheses() if nested else self.items(self.value)

    def options_in_parentheses(self) -> dict[str, Any]:
        """Take ``( KEY = value [,] KEY = value … )`` into a dictionary with upper-case keys."""
        self.expect("(")
        found: dict[str, Any] = {}
        while not self.take(")"):
            key = self.identifier()
            if not self.take("="):
                self.expect("=>")
            found[key] = self.option_value()
            self.take(",")
        return found

    def balanced(self) -> str:
        """Take a whole ``( … )`` and return the text between the parentheses."""
        start = self.here.end
        self.expect("(")
        depth = 1
        while depth:
            word = self.here
            depth += {"(": 1, ")": -1}.get(word.keyword, 0)
            self.position += 1
        return self.sql[start : self.words[self.position - 1].start]

    def until(self, *stops: str) -> str:
        """Take the text up to one of these keywords or marks outside of parentheses, or up to the end."""
        start = end = self.offset
        depth = 0
        while self.position < len(self.words):
            word = self.words[self.position]
            if depth == 0 and (word.keyword in stops or word.keyword == ";"):
                break
            depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(word.keyword, 0)
            if depth < 0:
                break
            end = word.end
            self.position += 1
        return self.sql[start:end]

    def rest(self) -> str:
        """Take everything that is left, without a closing semicolon."""
        return self.until(";")

    def type_text(self) -> str:
        """Take a type such as ``NUMBER(10, 2)`` or ``DOUBLE PRECISION``."""
        start = self.here.start
        first = self.identifier()
        follow = {
            "DOUBLE": ("PRECISION",),
            "CHAR": ("VARYING",),
            "CHARACTER": ("VARYING",),
            "NCHAR": ("VARYING",),
            "BINARY": ("VARYING",),
        }
        for word in follow.get(first, ()):
            self.take(word)
        if self.sees("("):
            self.balanced()
        return self.sql[start : self.words[self.position - 1].end]

    @property
    def starts_query(self) -> bool:
        """Say whether a query comes next, in parentheses or not."""
        position = self.position
        while position < len(self.words) and self.words[position].keyword == "(":
            position += 1
        return position < len(self.words) and self.words[position].keyword in _QUERY_STARTS


def split_name(text: str) -> tuple[str, ...]:
    """Cut ``db."Sch".t`` into ``('DB', 'Sch', 'T')``."""
    scanner = Scanner(text)
    parts = [scanner.identifier()]
    while scanner.take("."):
        if scanner.take("."):
            parts.append("PUBLIC")
        parts.append(scanner.identifier())
    scanner.expect_end()
    return tuple(parts)


def quote_identifier(name: str) -> str:
    """Write a name as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def shown_identifier(name: str) -> str:
    """Write a name as Snowflake shows it: with quotes only where they are needed."""
    return name if re.fullmatch(r"[A-Z_][A-Z0-9_$]*", name) else quote_identifier(name)


def quote_text(value: str) -> str:
    """Write a text as a DuckDB string literal."""
    return "'" + value.replace("'", "''") + "'"
