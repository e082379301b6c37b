"""features.sql and prepare.sql: a query of the user's own, its placeholders, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from firnline.domain import SourceContext, Table
from firnline.errors import DataError, UsageError
from firnline_snowpark.query.params import SqlParams, query_state
from firnline_snowpark.query.text import QueryTextError, render_query
from tests.snowpark.churn_world import World
from tests.snowpark.fetched import count_fetched

JOIN = '''
-- what each customer ordered; `{{ nobody }}` in a comment is a comment
WITH sums AS (SELECT C, SUM(AMOUNT) AS TOTAL FROM {{ orders }} WHERE AMOUNT > {{ least }} GROUP BY C)
SELECT c.ID, c."odd ""name""" AS KIND, s.TOTAL, '-- no comment; and no {{ placeholder }}' AS NOTE
FROM {{ customers }} c /* a
comment */ LEFT JOIN sums s ON s.C = c.ID
WHERE c."odd ""name""" IN ({{ kinds }});
'''


@pytest.fixture(scope="module")
def orders(world: World) -> Table:
    return world.table("C INT, AMOUNT FLOAT", "1, 5.0", "1, 7.5", "2, 0.5", "3, 9.0")


@pytest.fixture(scope="module")
def customers(world: World) -> Table:
    return world.table('ID INT, "odd ""name""" TEXT', "1, 'it''s'", "2, 'b'", "3, 'c'")


@pytest.mark.parametrize("step", ["features.sql", "prepare.sql"])
def test_a_query_joins_inputs_by_name(world: World, orders: Table, customers: Table, step: str) -> None:
    params = {
        "query": JOIN,
        "names": ["orders", "customers"],
        "values": {"least": 1, "kinds": ["it's", "b"]},
    }
    with count_fetched() as fetched:
        found = world.run(step, params, tables=[orders, customers])
    assert fetched.rows <= 2  # the count of rows, and the answer to CREATE TABLE
    assert found["table"].rows == 2
    note = "-- no comment; and no {{ placeholder }}"
    assert world.rows(found["table"]) == [(1, "it's", 12.5, note), (2, "b", None, note)]
    [_, columns, query] = found["report"].sections
    assert [row[0] for row in columns.rows] == ["ID", "KIND", "TOTAL", "NOTE"]
    assert orders.name in query.body
    assert "a\ncomment" not in query.body


def test_the_files_text_is_part_of_the_key(world: World, tmp_path: Path) -> None:
    file = tmp_path / "mine.sql"
    params = SqlParams(file="mine.sql")
    context = SourceContext(project=tmp_path, open_platform=lambda: pytest.fail("no platform is needed"))
    file.write_text("SELECT 1 AS A FROM {{ table }}")
    first = query_state(params, context)
    assert query_state(params, context) == first
    file.write_text("SELECT 2 AS A FROM {{ table }}")
    assert query_state(params, context) != first
    file.write_text("SELECT 2 AS A FROM {{ tabel }}")
    with pytest.raises(UsageError, match=r"mine.sql: .*tabel.*did you mean 'table'"):
        query_state(params, context)
    file.write_bytes(b"SELECT '\xff' FROM {{ table }}")
    with pytest.raises(UsageError, match="not UTF-8"):
        query_state(params, context)
    with pytest.raises(UsageError, match="there is no file") as caught:
        query_state(SqlParams(file="mime.sql"), context)
    assert "mine.sql" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("DROP TABLE {{ t }}", "one SELECT.*not 'DROP'"),
        ("SELECT * FROM {{ t }}; DELETE FROM {{ t }}", "several statements"),
        ("SELECT * FROM {{ t }} WHERE A = '{{ t }}'", "stands in quotes"),
        ("SELECT 'open FROM {{ t }}", "opened at character 8"),
        ("SELECT * FROM {{ t }} /* open", "never closed"),
        ("{% if x %} SELECT * FROM {{ t }}", "it is no template"),
        ("SELECT 1", "nothing in it uses {{ t }}"),
        (" -- only a comment", "no query"),
        ("SELECT {{ a.b }} FROM {{ t }}", "stands for nothing"),
        ("SELECT * FROM {{ t ", "never closed"),
    ],
)
def test_what_is_no_single_select_is_refused(text: str, says: str) -> None:
    with pytest.raises(QueryTextError, match=says):
        render_query(text, {"t": "X"})
    with pytest.raises(ValidationError, match=says):
        SqlParams(query=text, names=("t",))


def test_a_semicolon_and_comments_may_end_a_query() -> None:
    assert render_query("SELECT 1 FROM {{t}} ; -- done\n/* ; */", {"t": "X"}) == "SELECT 1 FROM X"


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({}, "either query or file"),
        ({"query": "SELECT 1 FROM {{ table }}", "file": "x.sql"}, "either query or file"),
        ({"query": "SELECT 1 FROM {{ a }}", "names": ["a", "a"]}, "named twice"),
        ({"query": "SELECT 1 FROM {{ a }}", "names": ["a"], "values": {"a": 1}}, "named twice"),
        ({"query": "SELECT {{ b }} FROM {{ a }}", "names": ["a"], "values": {"b": []}}, "empty list"),
        ({"query": "SELECT 1 FROM {{ a }}", "names": ["a b"]}, "no name"),
        ({"query": "SELECT {{ b }} FROM {{ a }}", "names": ["a"], "values": {"b": float("nan")}}, "finite"),
    ],
)
def test_params_that_do_not_fit_are_refused(params: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        SqlParams.model_validate(params)


def test_names_and_inputs_must_be_as_many(world: World, orders: Table) -> None:
    with pytest.raises(DataError, match="2 tables are connected, and 1 names"):
        world.run("features.sql", {"query": "SELECT 1 FROM {{ table }}"}, tables=[orders, orders])


def test_what_the_platform_refuses_tells_the_columns(world: World, orders: Table) -> None:
    with pytest.raises(DataError, match=r"(?s)refuses the query.*AMUONT") as caught:
        world.run("features.sql", {"query": "SELECT AMUONT FROM {{ table }}"}, tables=[orders])
    assert "C, AMOUNT" in (caught.value.hint or "")
