"""Every row of the capability table is true: its example runs on a sandbox in memory."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import pytest
from snowflake.connector.errors import ProgrammingError

import firnline_sandbox
from firnline_sandbox.capabilities import CAPABILITIES, PREPARATION
from firnline_sandbox.capabilities.lists import LISTS, absent, built_in_functions, built_in_table_functions
from firnline_sandbox.errors import SUPPORT_PAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from snowflake.snowpark import Session

    from firnline_sandbox.capabilities import Capability

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    from snowflake.ml._internal.platform_capabilities import PlatformCapabilities

    PlatformCapabilities._instance = None
    with firnline_sandbox.session() as opened:
        yield opened


@pytest.fixture
def prepared(session: Session, request: pytest.FixtureRequest) -> Session:
    """Give the session in a new schema with what every example finds."""
    cursor = session.connection.cursor()
    cursor.execute("USE DATABASE FIRNLINE")
    cursor.execute(f"CREATE SCHEMA S_{abs(hash(request.node.nodeid))}")
    for statement in PREPARATION:
        cursor.execute(statement)
    return session


def found(row: Capability, session: Session) -> Any:
    """Run a row's example."""
    if row.language == "python":
        names: dict[str, Any] = {"session": session}
        exec("\n".join(row.example), names)
        return names["answer"]
    cursor = session.connection.cursor()
    for statement in row.example:
        cursor.execute(statement)
    return cursor.fetchall()


def title(row: Capability) -> str:
    return f"{row.area}: {row.what}"


@pytest.mark.parametrize("row", [row for row in CAPABILITIES if row.state != "refused"], ids=title)
def test_what_is_supported_gives_what_the_row_says(row: Capability, prepared: Session) -> None:
    assert row.gives is not None
    assert found(row, prepared) == row.gives


@pytest.mark.parametrize("row", [row for row in CAPABILITIES if row.state == "refused"], ids=title)
def test_what_is_refused_is_refused_by_name(row: Capability, prepared: Session) -> None:
    assert row.says
    for statement in row.example[:-1]:
        prepared.connection.cursor().execute(statement)
    with pytest.raises(ProgrammingError) as raised:
        prepared.connection.cursor().execute(row.example[-1])
    assert (raised.value.errno, raised.value.sqlstate) == (2, "0A000")
    message = str(raised.value)
    assert f"Unsupported feature '{row.says}" in message
    assert f"it is not supported by the sandbox, see {SUPPORT_PAGE}." in message


def test_rows_have_names_of_their_own_and_say_what_is_different() -> None:
    titles = [title(row) for row in CAPABILITIES]
    assert len(set(titles)) == len(titles)
    assert [title(row) for row in CAPABILITIES if row.state == "partial" and not row.note] == []


def test_no_function_is_both_there_and_refused() -> None:
    known = {*built_in_functions(), *built_in_table_functions()}
    assert sorted(known.intersection(absent())) == []


def test_every_list_has_names() -> None:
    for entry in LISTS:
        names = entry.names()
        assert len(names) > 3
        assert sorted(set(names)) == sorted(names)


def test_lists_name_what_can_be_called(prepared: Session) -> None:
    cursor = prepared.connection.cursor()
    for entry in LISTS:
        if entry.title.startswith("Views"):
            for name in entry.names():
                place = name if name.startswith("INFORMATION_SCHEMA.") else f"SNOWFLAKE.{name}"
                cursor.execute(f"SELECT COUNT(*) FROM {place}")
                assert cursor.fetchone()[0] >= 0


def test_a_refusal_reads_well(prepared: Session) -> None:
    with pytest.raises(ProgrammingError) as raised:
        prepared.connection.cursor().execute("CREATE PIPE p AS COPY INTO t FROM @st")
    assert str(raised.value.raw_msg) == textwrap.dedent("""\
        SQL compilation error:
        Unsupported feature 'CREATE PIPE P': it is not supported by the sandbox, see docs/reference/sandbox.md.""")
