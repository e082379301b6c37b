"""Reading Snowflake SQL: tokens, statements, names, types, and syntax trees that keep calls as they were written."""

from __future__ import annotations

import functools
import logging
import re
from typing import TYPE_CHECKING, Any, ClassVar, Final

from sqlglot import exp
from sqlglot.dialects.snowflake import Snowflake
from sqlglot.errors import ParseError, SqlglotError, TokenError
from sqlglot.parsers.snowflake import SnowflakeParser
from sqlglot.tokenizer_core import TokenType

from firnline_sandbox.errors import COMPILATION, error, syntax_error, unsupported
from firnline_sandbox.types import SnowflakeType, from_sqlglot

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlglot.tokenizer_core import Token

# The parser warns of statements that it keeps as plain text; those are refused by name further on.
logging.getLogger("sqlglot").setLevel(logging.ERROR)


def _plain_call(name: str) -> Callable[[], exp.Anonymous]:
    return lambda: exp.Anonymous(this=name, expressions=[])


def _bind(token: Token) -> exp.Placeholder:
    placeholder = exp.Placeholder()
    placeholder.meta["position"] = token.start
    return placeholder


class _Parser(SnowflakeParser):
    """Snowflake's grammar; a call stays a call with its name and arguments.

    sqlglot builds one class per well-known function and reorders or rewrites arguments on the way, to write them for
    another dialect. The sandbox wants to see what was written.
    """

    FUNCTIONS: ClassVar[dict[str, Callable[..., Any]]] = {}
    FUNCTION_PARSERS: ClassVar[dict[str, Callable[..., Any]]] = {
        name: parser
        for name, parser in SnowflakeParser.FUNCTION_PARSERS.items()
        if name in {"CAST", "TRY_CAST", "EXTRACT", "POSITION"}
    }
    NO_PAREN_FUNCTIONS: ClassVar[dict[Any, Any]] = {
        TokenType.CURRENT_DATE: _plain_call("CURRENT_DATE"),
        TokenType.CURRENT_TIME: _plain_call("CURRENT_TIME"),
        TokenType.CURRENT_TIMESTAMP: _plain_call("CURRENT_TIMESTAMP"),
        TokenType.CURRENT_USER: _plain_call("CURRENT_USER"),
        TokenType.CURRENT_ROLE: _plain_call("CURRENT_ROLE"),
        TokenType.LOCALTIME: _plain_call("LOCALTIME"),
        TokenType.LOCALTIMESTAMP: _plain_call("LOCALTIMESTAMP"),
    }

    # The arrow is Snowflake's for lambdas alone; a path is written with a colon.
    COLUMN_OPERATORS: ClassVar[dict[Any, Any]] = {
        kind: parser
        for kind, parser in SnowflakeParser.COLUMN_OPERATORS.items()
        if kind not in {TokenType.ARROW, TokenType.DARROW, TokenType.HASH_ARROW, TokenType.DHASH_ARROW}
    }
    PLACEHOLDER_PARSERS: ClassVar[dict[Any, Any]] = {
        **SnowflakeParser.PLACEHOLDER_PARSERS,
        TokenType.PLACEHOLDER: lambda self: _bind(self._prev),
    }

    def _parse_parameter(self) -> exp.Parameter:
        sign = self._prev.text  # $ before a variable or a position, @ before a stage
        parameter = super()._parse_parameter()
        parameter.meta["sign"] = sign
        return parameter

    def _parse_projections(self) -> tuple[list[exp.Expr], list[exp.Expr] | None]:
        return self._parse_csv(self._parse_projection), None

    def _parse_projection(self) -> exp.Expr | None:
        start = self._curr
        projection = self._parse_expression()
        if projection is not None and not isinstance(projection, exp.Alias | exp.Column | exp.Star):
            projection.meta["source"] = self._find_sql(start, self._prev)
        return projection


# Operators of other databases that sqlglot reads in every dialect: here they are syntax errors, as in Snowflake.
_FOREIGN_OPERATORS: Final = frozenset(
    "&< &> ?:: |> <=> #> #>> <-> <<->> && ?? ~~~ ~~ ~~* ~* -|-".split()  # noqa: SIM905
)


class _Tokenizer(Snowflake.Tokenizer):
    """Snowflake's words and signs alone."""

    KEYWORDS: ClassVar[dict[str, Any]] = {
        word: kind for word, kind in Snowflake.Tokenizer.KEYWORDS.items() if word not in _FOREIGN_OPERATORS
    }


class SandboxSnowflake(Snowflake):
    """The Snowflake dialect with :class:`_Parser` and :class:`_Tokenizer`."""

    Tokenizer = _Tokenizer
    Parser = _Parser


MOST_ROWS: Final = 200_000
_DIALECT: Final = SandboxSnowflake()


_VALUES: Final = re.compile(r"\bVALUES\b", re.IGNORECASE)
_MARKS: Final = re.compile(r"'(?:[^'\\]|''|\\.)*'|[(),]", re.DOTALL)


def _check_list(sql: str) -> None:
    """Refuse a VALUES clause of more rows than Snowflake takes, before time goes into reading it."""
    found = _VALUES.search(sql) if sql.count(",") >= MOST_ROWS else None
    if found is None:
        return
    depth, rows = 0, 1
    for mark in _MARKS.finditer(sql, found.end()):
        sign = mark[0]
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth < 0:
            break
        rows += sign == "," and depth == 0
    if rows > MOST_ROWS:
        raise error(
            1795,
            "42601",
            f"{COMPILATION}maximum number of expressions in a list exceeded, expected at most {MOST_ROWS}, got {rows}",
        )


def tokenize(sql: str) -> list[Token]:
    """Cut SQL into sqlglot tokens.

    Raises:
        ProgrammingError: 1003, a string or comment does not end; 1795, VALUES has too many rows.
    """
    return list(_tokens(sql))


@functools.lru_cache(maxsize=4)  # a statement is cut up to see what it is, to rewrite it and to parse it
def _tokens(sql: str) -> tuple[Token, ...]:
    _check_list(sql)
    try:
        return tuple(_DIALECT.tokenize(sql))
    except TokenError as failure:
        raise syntax_error(str(failure)) from failure


def parse_statement(sql: str) -> exp.Expr:
    """Parse one statement; unaliased projections keep their source text in ``meta["source"]``.

    Raises:
        ProgrammingError: 1003, the text is not one statement of Snowflake SQL.
    """
    tokens = tokenize(sql)
    while tokens and tokens[-1].token_type == TokenType.SEMICOLON:
        tokens.pop()
    if not tokens:
        raise syntax_error("unexpected end of an empty statement.")
    try:
        trees = _DIALECT.parser().parse(tokens, sql)
    except ParseError as failure:
        raise syntax_error(_where(failure, tokens)) from failure
    except SqlglotError as failure:
        raise syntax_error(str(failure)) from failure
    if len(trees) != 1 or trees[0] is None:
        raise syntax_error("unexpected ';': one statement was expected.")
    tree: exp.Expr = trees[0]
    _number_binds(tree, tokens)
    return tree


def _number_binds(tree: exp.Expr, tokens: list[Token]) -> None:
    """Give each ``?`` its place among the statement's binds: parsing may come by one more than once."""
    positions = [token.start for token in tokens if token.token_type == TokenType.PLACEHOLDER]
    if positions:
        for placeholder in tree.find_all(exp.Placeholder):
            if "position" in placeholder.meta:
                placeholder.meta["index"] = positions.index(placeholder.meta["position"])


def _where(failure: ParseError, tokens: list[Token]) -> str:
    found: dict[str, Any] = failure.errors[0] if failure.errors else {}
    text = found.get("highlight") or "<EOF>"
    line, column = found.get("line", 1), found.get("col", 0)
    place = next((index for index, token in enumerate(tokens) if (token.line, token.col) == (line, column)), 0)
    if place > 1 and tokens[place - 2].token_type == TokenType.ALIAS:
        # An alias inside of an expression: the parser stumbles behind it, Snowflake at the AS.
        text, line, column = tokens[place - 2].text, tokens[place - 2].line, tokens[place - 2].col
    return f"line {line} at position {column} unexpected '{text}'."


_TYPE_NAMES: Final = {"NUMBER": "DECIMAL", "NUMERIC": "DECIMAL", "DEC": "DECIMAL"}


def parse_type(text: str) -> SnowflakeType:
    """Read a type as Snowflake SQL spells it, such as ``NUMBER(10, 2)``.

    Raises:
        ProgrammingError: 1003 for text that is no type, 2 for a type that the sandbox lacks.
    """
    try:
        node = exp.DataType.build(text, dialect=_DIALECT, udt=False)
    except (SqlglotError, ValueError) as failure:
        raise syntax_error(f"'{text}' is not a data type.") from failure
    found = from_sqlglot(node)
    if found is None:
        raise unsupported(f"data type {text.upper()}")
    return found


def split_statements(sql: str) -> list[str]:
    """Split a script at its semicolons; empty statements are left out."""
    statements = []
    start = 0
    for token in tokenize(sql):
        if token.token_type == TokenType.SEMICOLON:
            statements.append(sql[start : token.start])
            start = token.end + 1
    statements.append(sql[start:])
    return [text.strip() for text in statements if _without_comments(text)]


_COMMENT: Final = re.compile(r"(?:\s+|--[^\n]*(?:\n|$)|//[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)
_WORD: Final = re.compile(r"[A-Za-z_][\w$]*")
_MOST_WORDS: Final = 8


def _without_comments(text: str) -> str:
    skipped = _COMMENT.match(text)
    return text[skipped.end() :] if skipped else text


def leading_words(sql: str) -> list[str]:
    """Give the first unquoted words of a statement, upper-cased, at most eight; opening parentheses are skipped."""
    words: list[str] = []
    rest = sql
    while len(words) < _MOST_WORDS:
        rest = _without_comments(rest)
        while not words and rest.startswith("("):
            rest = _without_comments(rest[1:])
        found = _WORD.match(rest)
        if found is None:
            break
        words.append(found[0].upper())
        rest = rest[found.end() :]
    return words


_NAME_PART: Final = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([A-Za-z_][\w$]*))\s*(\.|$)')


def resolve_name(text: str) -> tuple[str, ...]:
    """Split a dotted name into its parts as Snowflake stores them: ``db."Sch".t`` gives ``("DB", "Sch", "T")``.

    Raises:
        ProgrammingError: 1003, the text is no name.
    """
    parts: list[str] = []
    position = 0
    text = text.strip()
    while True:
        if parts and text.startswith(".", position):  # db..table leaves the schema out: PUBLIC
            parts.append("PUBLIC")
            position += 1
            continue
        found = _NAME_PART.match(text, position)
        if found is None:
            raise syntax_error(f"'{text}' is not a name.")
        parts.append(found[2].upper() if found[1] is None else found[1].replace('""', '"'))
        position = found.end()
        if found[3] == "":
            return tuple(parts)


def identifier_name(node: exp.Expr) -> str:
    """Give an identifier as Snowflake stores it: quoted exactly, unquoted upper-cased."""
    name: str = node.this if isinstance(node.this, str) else node.name
    return name if node.args.get("quoted") else name.upper()
