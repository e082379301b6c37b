"""A reader of statements that sqlglot does not take apart: most DDL, SHOW, stage and session statements.

It leaves queries and expressions inside a statement as text for the translator.
"""

from __future__ import annotations

import re
from typing import Any, Final

from firnline_sandbox.errors import syntax_error
from firnline_sandbox.statements.words import Word, WordCursor, find_variable, lex

_LOCATION: Final = re.compile(
    r"[^\s,()'\";]+(?:\"(?:[^\"]|\"\")*\"[^\s,()'\";]*)*|(?:\"(?:[^\"]|\"\")*\"[^\s,()'\";]*)+"
)


class Scanner(WordCursor):
    """A cursor that takes names, values and pieces of text."""

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
            case "word" if word.text.startswith("$"):
                return find_variable(self._variables, word.text[1:].upper())
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

    # -- options and pieces of text

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
