"""The statement splitter, fed with anything: it gives statements or Snowflake's syntax error, and always comes back."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from snowflake.connector.errors import ProgrammingError

from firnline_sandbox.translate import leading_words, split_statements

_PIECES = [
    *("'", '"', "$$", "--", "//", "/*", "*/", ";", "\\", "\\'", "''", '""', "\n", "\r", "\t", "\0", " ", "(", ")"),
    *("select", "1", "a", "$1", "?", ":x", "@s", "{", "}", "é", "\U0001f600"),
    *("x'ab'", "1e", "0x", "{{", "}}", "begin", "end", "||", "::", "->", "=>"),
]
_TEXTS = st.lists(st.sampled_from(_PIECES), max_size=40).map("".join) | st.text(max_size=60)


@settings(max_examples=600, deadline=2_000)
@given(_TEXTS)
@example("select 1; select ';'; -- ;\nselect $$;$$ /* ; */;")
@example("'" * 999)
@example("/*" * 500)
def test_any_text_is_split_or_refused(text: str) -> None:
    """What comes out stands in the text, in its order."""
    try:
        statements = split_statements(text)
    except ProgrammingError as failure:
        if failure.errno != 1003:
            raise
        return
    position = 0
    for statement in statements:
        assert statement
        found = text.find(statement, position)
        assert found >= position
        position = found + len(statement)


@settings(max_examples=300, deadline=2_000)
@given(_TEXTS)
def test_leading_words_are_words(text: str) -> None:
    """Whatever the text, there are at most eight, in upper case."""
    words = leading_words(text)
    assert len(words) <= 8
    assert all(word == word.upper() for word in words)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select 1; select 2;", ["select 1", "select 2"]),
        ("select ';'; select \";\"", ["select ';'", 'select ";"']),
        ("select $$;$$; select 1 -- ;", ["select $$;$$", "select 1 -- ;"]),
        (" ; /* ; */ ;", []),
    ],
)
def test_semicolons_in_strings_and_comments_split_nothing(text: str, expected: list[str]) -> None:
    """Only a semicolon between statements does."""
    assert split_statements(text) == expected
