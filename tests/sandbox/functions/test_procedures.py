"""Stored procedures: a real Snowpark session inside, on the caller's own session."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from snowflake.connector.errors import ProgrammingError
from snowflake.snowpark import DataFrame, Session
from snowflake.snowpark.exceptions import SnowparkSQLException
from snowflake.snowpark.functions import col
from snowflake.snowpark.functions import sum as sum_
from snowflake.snowpark.types import IntegerType, StringType, StructField, StructType

from firnline_sandbox import SandboxEngine

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[[str], list[tuple[Any, ...]]]


def define(run: Run, name: str, body: str, *, arguments: str = "", returns: str = "varchar", options: str = "") -> None:
    """Create a procedure whose handler is ``f``."""
    run(
        f"create or replace procedure {name}({arguments}) returns {returns} language python runtime_version = 3.11 "
        f"packages = ('snowflake-snowpark-python') handler = 'f' {options} as $$\n{body}\n$$"
    )


def test_a_registered_procedure_has_the_callers_session(session: Session) -> None:
    session.sql("create or replace temporary table mine (n int)").collect()

    def fill(inner: Session, rows: int) -> int:
        inner.range(rows).select(col("id").alias("n")).write.mode("append").save_as_table("mine", table_type="temp")
        return inner.table("mine").count()

    stored = session.sproc.register(fill, return_type=IntegerType(), input_types=[IntegerType()], name="fill")
    assert stored(3, session=session) == 3
    assert session.call("fill", 2) == 5
    assert session.table("mine").count() == 5


def test_values_and_nulls(run: Run) -> None:
    define(run, "echo", "def f(session, x):\n    return x", arguments="x variant", returns="variant")
    assert run("call echo(parse_json('[1, {\"a\": null}]'))") == [('[\n  1,\n  {\n    "a": null\n  }\n]',)]
    define(run, "careful", "def f(session, x):\n    return 'called'", arguments="x int", options="strict")
    assert run("call careful(null)") == [(None,)]
    assert run("call careful(x => 1)") == [("called",)]


def test_tables_come_back_as_rows(session: Session, run: Run) -> None:
    body = (
        "from snowflake.snowpark.functions import lit\n"
        "def f(session, n):\n    return session.range(n).select('id', lit('x').alias('w'))"
    )
    define(run, "rows_of", body, arguments="n int", returns="table (id int, word varchar)")
    assert run("call rows_of(2)") == [(0, "x"), (1, "x")]
    frame = session.call("rows_of", 3)
    assert isinstance(frame, DataFrame)
    assert frame.columns == ["ID", "WORD"]
    assert frame.agg(sum_("id")).collect()[0][0] == 3
    define(run, "anything", "def f(session):\n    return session.sql('select 1 as a, 2 as b')", returns="table ()")
    assert run("call anything()") == [(1, 2)]


def test_an_anonymous_procedure(session: Session, run: Run) -> None:
    text = (
        "with p as procedure (x int) returns int language python runtime_version = 3.11 "
        "packages = ('snowflake-snowpark-python') handler = 'f' as $$\ndef f(session, x):\n    return x * 2\n$$ "
        "call p(21)"
    )
    assert run(text) == [(42,)]
    assert run("show procedures like 'p'") == []
    twice = session.sproc.register(
        lambda inner, x: x + x, return_type=StringType(), input_types=[StringType()], anonymous=True
    )
    assert twice("ab", session=session) == "abab"


def test_errors_inside_are_told_with_the_procedures_own_frames(run: Run) -> None:
    define(run, "failing", "def f(session):\n    session.sql('select * from nowhere').collect()")
    with pytest.raises(SnowparkSQLException, match="Python Interpreter Error") as raised:
        run("call failing()")
    assert raised.value.sql_error_code == 100357
    assert "NOWHERE' does not exist" in str(raised.value)
    assert "in function FAILING with handler f" in str(raised.value)
    body = (
        "from snowflake.snowpark.exceptions import SnowparkSQLException\n"
        "def f(session):\n    try:\n        session.sql('select * from nowhere').collect()\n"
        "    except SnowparkSQLException as error:\n        return str(error.sql_error_code)"
    )
    define(run, "catching", body)
    assert run("call catching()") == [("2003",)]
    with pytest.raises(SnowparkSQLException, match="Unknown function NOBODY") as unknown:
        run("call nobody()")
    assert unknown.value.sql_error_code == 2140


def test_procedures_call_procedures_and_functions(session: Session, run: Run) -> None:
    run(
        "create or replace function inc(x int) returns int language python handler = 'f' as $$\nf = lambda x: x + 1\n$$"
    )
    body = (
        "def f(session, depth):\n    if depth == 0:\n        return session.sql('select inc(0)').collect()[0][0]\n"
        "    return session.call('nested', depth - 1) + 1"
    )
    define(run, "nested", body, arguments="depth int", returns="int")
    assert session.call("nested", 2) == 3


def test_functions_are_registered_inside(run: Run) -> None:
    body = (
        "from snowflake.snowpark.types import IntegerType\n"
        "def f(session):\n"
        "    double = session.udf.register(lambda x: 2 * x, return_type=IntegerType(), input_types=[IntegerType()])\n"
        "    return session.range(5, 6).select(double('id')).collect()[0][0]"
    )
    define(run, "registering", body, returns="int")
    assert run("call registering()") == [(10,)]


def test_a_procedure_shares_the_open_transaction(run: Run) -> None:
    run("create or replace table kept (n int)")
    define(
        run, "inserting", "def f(session):\n    session.sql('insert into kept values (1)').collect()\n    return 'ok'"
    )
    run("begin")
    run("call inserting()")
    assert run("select count(*) from kept") == [(1,)]
    run("rollback")
    assert run("select count(*) from kept") == [(0,)]


def test_an_owners_procedure_works_in_its_own_schema(run: Run) -> None:
    run("create schema if not exists elsewhere")
    run("use schema public")
    body = "def f(session):\n    return session.sql('select current_schema()').collect()[0][0]"
    define(run, "elsewhere.place", body)
    define(run, "elsewhere.callers_place", body, options="execute as caller")
    assert run("call elsewhere.place()") == [("ELSEWHERE",)]
    assert run("call elsewhere.callers_place()") == [("PUBLIC",)]
    assert run("select current_schema()") == [("PUBLIC",)]


def test_pandas_and_large_frames_inside(run: Run) -> None:
    body = (
        "import pandas\n"
        "def f(session):\n"
        "    frame = session.sql('select seq8() as n from table(generator(rowcount => 700000))').to_pandas()\n"
        "    session.write_pandas(frame, 'LARGE', auto_create_table=True, overwrite=True)\n"
        "    return int(frame['N'].sum())"
    )
    define(run, "large", body, returns="int")
    assert run("call large()") == [(244999650000,)]
    assert run('select count(*) from "LARGE"') == [(700000,)]


def test_describe_and_default_arguments(run: Run) -> None:
    define(
        run, "documented", "def f(session, x, y):\n    return x + y", arguments="x int, y int default 10", returns="int"
    )
    assert run("call documented(1)") == [(11,)]
    described = dict(run("describe procedure documented(int, int)"))
    assert described["execute as"] == "OWNER"
    assert described["returns"] == "NUMBER(38,0)"
    run("alter procedure documented(int, int) execute as caller")
    assert dict(run("desc procedure documented(int, int)"))["execute as"] == "CALLER"
    run("drop procedure documented(int, int)")
    with pytest.raises(SnowparkSQLException, match="does not exist"):
        run("describe procedure documented(int, int)")


def test_cancelling_stops_a_procedure_and_what_it_runs() -> None:
    with SandboxEngine.open() as engine, engine.connect() as connection:
        cursor = connection.cursor()
        cursor.execute(
            "create procedure slow() returns varchar language python packages = ('snowflake-snowpark-python') "
            "handler = 'f' as $$\ndef f(session):\n    session.sql(\"select system$wait(60)\").collect()\n"
            "    return 'done'\n$$"
        )
        threading.Timer(6.0, lambda: engine.history.cancel(cursor_id(engine))).start()
        began = time.monotonic()
        with pytest.raises(Exception, match="canceled"):
            cursor.execute("call slow()")
        assert time.monotonic() - began < 40
        assert cursor.execute("select 1").fetchall() == [(1,)]


def cursor_id(engine: SandboxEngine) -> str:
    """Find the CALL that is running."""
    return next(record.query_id for record in engine.history.records() if record.kind == "CALL")


def test_output_of_a_schema_is_checked(session: Session) -> None:
    schema = StructType([StructField("a", IntegerType()), StructField("b", IntegerType())])
    one = session.sproc.register(
        lambda inner: inner.sql("select 1 as a"), return_type=schema, input_types=[], name="one_column"
    )
    with pytest.raises(ProgrammingError, match="returned 1 columns, declared are 2"):
        one(session=session)
