"""A user's query: what its placeholders stand for, and that it is one SELECT. Light: used while planning."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_TOKEN: Final = re.compile(
    r"""(?P<text>'(?:[^'\\]|\\.|'')*'|"(?:[^"]|"")*"|\$\$.*?\$\$)
      | (?P<comment>--[^\n]*|//[^\n]*|/\*.*?\*/)
      | \{\{\s*(?P<name>[^{}]*?)\s*\}\}
      | (?P<open>'|"|\$\$|/\*|\{\{)
      | (?P<control>\{%|\{\#)
      | (?P<end>;)""",
    re.VERBOSE | re.DOTALL,
)
_QUOTED_PLACEHOLDER: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_SELECT: Final = re.compile(r"[\s(]*(SELECT|WITH)\b", re.IGNORECASE)


class QueryTextError(ValueError):
    """The text of a query cannot be used as it is."""


def check_query(text: str, names: Collection[str]) -> None:
    """Make sure that the text is one SELECT with these placeholders, each of them used.

    Raises:
        QueryTextError: it is not.
    """
    render_query(text, dict.fromkeys(names, "X"))


def render_query(text: str, stand_for: Mapping[str, str]) -> str:
    """Return the query without comments, each ``{{ name }}`` replaced by what it stands for.

    Args:
        text: one SELECT; a closing semicolon is taken off.
        stand_for: placeholder → SQL that is quoted already: a table's name or constants.

    Raises:
        QueryTextError: it is no SELECT, or several statements, or a placeholder is unknown, unused or in quotes.
    """
    used: set[str] = set()
    query = "".join(_rendered(text, stand_for, used)).strip()
    if not query:
        raise QueryTextError("there is no query in it")
    if not _SELECT.match(query):
        raise QueryTextError(f"it must be one SELECT (or WITH … SELECT), not {query.split()[0][:40]!r}")
    if unused := [name for name in stand_for if name not in used]:
        written = ", ".join(f"{{{{ {name} }}}}" for name in unused)
        raise QueryTextError(f"nothing in it uses {written}")
    return query


def _rendered(text: str, stand_for: Mapping[str, str], used: set[str]) -> Iterator[str]:
    place = 0
    for token in _TOKEN.finditer(text):
        yield text[place : token.start()]
        place = token.end()
        match token.lastgroup:
            case "comment":
                yield " "
            case "text":
                yield _string(token[0], stand_for)
            case "name":
                used.add(token["name"])
                yield _meaning(token["name"], stand_for)
            case "end":
                if _TOKEN.sub(lambda rest: "" if rest["comment"] else rest[0], text[place:]).strip():
                    raise QueryTextError("it holds several statements; one stage runs one SELECT")
            case "control":
                raise QueryTextError(f"{token[0]} is not known: only {{{{ name }}}} is replaced, it is no template")
            case _:
                raise QueryTextError(f"{token[0]} is opened at character {token.start() + 1:,} and never closed")
    yield text[place:]


def _string(text: str, stand_for: Mapping[str, str]) -> str:
    for name in _QUOTED_PLACEHOLDER.findall(text):
        if name in stand_for:
            raise QueryTextError(f"{{{{ {name} }}}} stands in quotes: leave them out, what it stands for is quoted")
    return text


def _meaning(name: str, stand_for: Mapping[str, str]) -> str:
    if name in stand_for:
        return stand_for[name]
    nearest = difflib.get_close_matches(name, stand_for, n=1)
    raise QueryTextError(
        f"{{{{ {name} }}}} stands for nothing"
        + (f"; did you mean {nearest[0]!r}?" if nearest else "")
        + f" Known are: {', '.join(stand_for)}"
    )
