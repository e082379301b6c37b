"""Table functions and aggregates: rows, partitions, lateral joins, pandas."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Optional

import pandas as pd
import pytest
from snowflake.snowpark.exceptions import SnowparkSQLException
from snowflake.snowpark.functions import col, lit, udaf
from snowflake.snowpark.types import FloatType, IntegerType, StringType, StructField, StructType

if TYPE_CHECKING:
    from collections.abc import Callable

    from snowflake.snowpark import Session

    Run = Callable[[str], list[tuple[Any, ...]]]

COUNTING = """
class Counting:
    def __init__(self):
        self.total = 0
    def process(self, x):
        self.total += x
        yield (x, self.total)
        if x > 5:
            yield (x, -1)
    def end_partition(self):
        yield (None, self.total)
"""


@pytest.fixture(scope="module")
def counting(run: Run) -> None:
    """A table function that sums what it sees, and a table."""
    run(
        "create function counting(x int) returns table (x int, total int) language python handler = 'Counting' "
        f"as $${COUNTING}$$"
    )
    run("create table seen (k varchar, n int)")
    run("insert into seen values ('a', 1), ('a', 7), ('b', 3), ('b', 2)")


@pytest.mark.usefixtures("counting")
def test_constant_arguments_are_one_row(run: Run) -> None:
    assert run("select * from table(counting(2))") == [(2, 2), (None, 2)]


@pytest.mark.usefixtures("counting")
def test_partitions_in_order(run: Run) -> None:
    query = "select k, n, t.x, t.total from seen, table(counting(n) over (partition by k order by n)) t"
    assert run(f"select * from ({query}) order by k, n nulls last, total desc") == [
        ("a", 1, 1, 1),
        ("a", 7, 7, 8),
        ("a", 7, 7, -1),
        ("a", None, None, 8),
        ("b", 2, 2, 2),
        ("b", 3, 3, 5),
        ("b", None, None, 5),
    ]


@pytest.mark.usefixtures("counting")
def test_rows_keep_their_columns_without_partitions(run: Run) -> None:
    rows = run("select s.k, s.n, t.x from seen s, table(counting(s.n)) t where t.total > 0 order by n nulls last")
    assert rows[:4] == [("a", 1, 1), ("b", 2, 2), ("b", 3, 3), ("a", 7, 7)]
    assert rows[4:] == [(None, None, None)]


@pytest.mark.usefixtures("counting")
def test_a_join_before_and_a_condition_after(run: Run) -> None:
    query = """
        select a.k, b.n, t.total from (select 'a' as k) a join seen b using (k)
        join table(counting(b.n) over (partition by b.k order by b.n)) t on t.total > 1 where b.n is not null
    """
    assert run(query) == [("a", 7, 8)]


def test_nothing_for_a_row_and_left_joins(run: Run) -> None:
    run(
        "create function evens(x int) returns table (y int) language python handler = 'Evens' as $$\n"
        "class Evens:\n    def process(self, x):\n        return [(x,)] if x % 2 == 0 else []\n$$"
    )
    rows = "(select 1 n union all select 2)"
    assert run(f"select n, y from {rows} r, table(evens(n))") == [(2, 2)]
    assert run(f"select n, y from {rows} r left join table(evens(n)) order by n") == [(1, None), (2, 2)]


def test_rows_of_the_wrong_width_are_refused(run: Run) -> None:
    run(
        "create function narrow() returns table (a int, b int) language python handler = 'N' as $$\n"
        "class N:\n    def process(self):\n        yield (1,)\n$$"
    )
    with pytest.raises(SnowparkSQLException, match="a row of 1 values, expected 2"):
        run("select * from table(narrow())")
    with pytest.raises(SnowparkSQLException, match="Unknown table function NOBODY") as unknown:
        run("select * from table(nobody(1))")
    assert unknown.value.sql_error_code == 2141


def test_table_functions_in_sql(run: Run) -> None:
    body = "select x + 1, ''up'' union all select x - 1, ''down''"
    run(f"create function near(x int) returns table (y int, w varchar) as '{body}'")
    assert run("select * from table(near(5)) order by y") == [(4, "down"), (6, "up")]
    query = "select n, y from (select 1 n union all select 10) r, table(near(r.n)) where w = 'up' order by n"
    assert run(query) == [(1, 2), (10, 11)]


def test_a_table_function_from_snowpark(session: Session) -> None:
    class Letters:
        def process(self, word: str) -> Iterable[tuple[str, int]]:
            for position, letter in enumerate(word):
                yield letter, position

    schema = StructType([StructField("letter", StringType()), StructField("place", IntegerType())])
    letters = session.udtf.register(Letters, output_schema=schema, input_types=[StringType()])
    assert [tuple(row) for row in session.table_function(letters(lit("ab"))).collect()] == [("a", 0), ("b", 1)]
    joined = session.create_dataframe([["xy"], ["z"]], schema=["w"]).join_table_function(letters(col("w")))
    assert sorted(tuple(row) for row in joined.collect()) == [("xy", "x", 0), ("xy", "y", 1), ("z", "z", 0)]


def test_apply_in_pandas(session: Session) -> None:
    def share(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(V=frame.V / frame.V.sum())

    schema = StructType([StructField("k", StringType()), StructField("v", FloatType())])
    frame = session.create_dataframe([["a", 1.0], ["a", 3.0], ["b", 5.0]], schema=["k", "v"])
    shares = frame.group_by("k").apply_in_pandas(share, output_schema=schema).order_by("k", "v").collect()
    assert [tuple(row) for row in shares] == [("a", 0.25), ("a", 0.75), ("b", 1.0)]


def test_large_partitions(run: Run) -> None:
    run(
        "create function sorted_pairs(x int) returns table (least int, most int) language python handler = 'P' as $$\n"
        "import pandas\nfrom _snowflake import vectorized\nclass P:\n    @vectorized(input=pandas.DataFrame)\n"
        "    def end_partition(self, df):\n        return pandas.DataFrame({'a': df['X'], 'b': df['X'] + 1})\n$$"
    )
    query = """
        select k, count(*), sum(most - least) from (
            select k, t.* from (select seq8() n, n % 2 k from table(generator(rowcount => 200000))) r,
            table(sorted_pairs(n) over (partition by k)) t
        ) group by k order by k
    """
    assert run(query) == [(0, 100000, 100000), (1, 100000, 100000)]


@pytest.fixture(scope="module")
def span(session: Session) -> Callable[..., Any]:
    """An aggregate: the distance between the greatest and the least value."""

    @udaf(name="span", replace=True, session=session, return_type=IntegerType(), input_types=[IntegerType()])
    class Span:
        def __init__(self) -> None:
            self.values: list[int] = []

        @property
        def aggregate_state(self) -> list[int]:
            return self.values

        def accumulate(self, value: int) -> None:
            if value is not None:
                self.values = [min([*self.values, value]), max([*self.values, value])]

        def merge(self, other: list[int]) -> None:
            for value in other:
                self.accumulate(value)

        def finish(self) -> Optional[int]:  # noqa: UP045 (Snowpark knows this spelling alone)
            return self.values[1] - self.values[0] if self.values else None

    return Span


def test_aggregates_of_groups_and_of_nothing(run: Run, span: Callable[..., Any]) -> None:
    del span
    rows = "(select 'a' k, 1 n union all select 'a', 5 union all select 'b', null)"
    assert run(f"select k, span(n), count(*) from {rows} group by k order by k") == [("a", 4, 2), ("b", None, 1)]
    assert run(f"select span(n) from {rows} where k = 'c'") == [(None,)]


def test_parts_of_large_groups_are_merged(run: Run, span: Callable[..., Any]) -> None:
    del span
    assert run("select span(n) from (select seq8() n from table(generator(rowcount => 25000)))") == [(24999,)]
