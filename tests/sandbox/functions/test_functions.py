"""Scalar functions: in SQL text and from Snowpark, with every type, in workers that can be stopped."""

from __future__ import annotations

import datetime as dt
import decimal
import os
import threading
import time
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from snowflake.snowpark.exceptions import SnowparkSQLException
from snowflake.snowpark.functions import call_udf, col, lit, pandas_udf
from snowflake.snowpark.types import FloatType, IntegerType, PandasSeriesType, StringType, VariantType

from firnline_sandbox import SandboxEngine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from snowflake.snowpark import Session

    Run = Callable[[str], list[tuple[Any, ...]]]


def define(
    run: Run, name: str, body: str, *, arguments: str = "x int", returns: str = "int", options: str = ""
) -> None:
    """Create a function whose handler is ``f``."""
    run(
        f"create or replace function {name}({arguments}) returns {returns} language python runtime_version = 3.11 "
        f"handler = 'f' {options} as $$\n{body}\n$$"
    )


def test_a_lambda_becomes_a_function(session: Session) -> None:
    add = session.udf.register(lambda x, y: x + y, return_type=IntegerType(), input_types=[IntegerType()] * 2)
    rows = session.create_dataframe([[1, 2], [3, 4]], schema=["a", "b"]).select(add("a", "b")).collect()
    assert [row[0] for row in rows] == [3, 7]


def test_a_million_rows_are_not_a_million_round_trips(run: Run) -> None:
    define(run, "plus_one", "def f(x):\n    return x + 1")
    began = time.monotonic()
    query = "select sum(plus_one(n)) from (select seq8() n from table(generator(rowcount => 1000000)))"
    assert run(query) == [(500000500000,)]
    assert time.monotonic() - began < 60


@pytest.mark.parametrize(
    ("type_", "literal", "expected"),
    [
        ("int", "7", 7),
        ("number(10, 2)", "1.50", decimal.Decimal("1.50")),
        ("float", "0.5", 0.5),
        ("varchar", "'ß'", "ß"),
        ("boolean", "true", True),
        ("binary", "to_binary('00ff', 'hex')", b"\x00\xff"),
        ("date", "'2026-02-03'::date", dt.date(2026, 2, 3)),
        ("time", "'01:02:03.5'::time", dt.time(1, 2, 3, 500000)),
        ("timestamp_ntz", "'2026-02-03 04:05:06'::timestamp_ntz", dt.datetime(2026, 2, 3, 4, 5, 6)),  # noqa: DTZ001
    ],
)
def test_values_go_in_and_come_back(run: Run, type_: str, literal: str, expected: object) -> None:
    word = type_.split("(")[0]
    define(run, f"same_{word}", "def f(x):\n    return x", arguments=f"x {type_}", returns=type_)
    define(run, f"shown_{word}", "def f(x):\n    return repr(x)", arguments=f"x {type_}", returns="varchar")
    assert run(f"select same_{word}({literal}), same_{word}(null)") == [(expected, None)]
    assert run(f"select shown_{word}({literal})") == [(repr(expected),)]


def test_semi_structured_values_are_python_objects(run: Run) -> None:
    body = "def f(x):\n    return {'type': type(x).__name__, 'again': x}"
    define(run, "described", body, arguments="x variant", returns="variant")
    query = "select described(parse_json('{0}')):type::varchar, described(parse_json('{0}')):again::varchar"
    for text, name in (('{"a":1}', "dict"), ("[1,2]", "list"), ("1.5", "float"), ('"s"', "str")):
        assert run(query.format(text)) == [(name, text.strip('"') if name == "str" else text)]


def test_null_and_json_null_in_a_variant(run: Run) -> None:
    body = "def f(x):\n    return 'sql' if hasattr(x, 'is_sql_null') else 'json' if x is None else sorted(x) == list(x)"
    define(run, "which_null", body, arguments="x variant", returns="variant")
    assert run("select which_null(null)::varchar, which_null(parse_json('null'))::varchar") == [("sql", "json")]
    assert run("""select which_null(parse_json('{"b": 1, "a": 2}'))""") == [("true",)]
    define(run, "given_null", "def f(x):\n    return None", arguments="x variant", returns="variant")
    assert run("select is_null_value(given_null(1)), given_null(1) is null") == [(True, False)]


def test_strict_functions_are_not_called_with_null(run: Run) -> None:
    define(run, "strict", "def f(x, y):\n    return x + y", arguments="x int, y int", options="strict")
    define(run, "lax", "def f(x, y):\n    return -1 if x is None else x", arguments="x int, y int")
    assert run("select strict(1, null), strict(1, 2), lax(null, 2)") == [(None, 3, -1)]


def test_overloads_are_told_apart_by_types(run: Run) -> None:
    define(run, "kind", "def f(x):\n    return 'number'", arguments="x int", returns="varchar")
    define(run, "kind", "def f(x):\n    return 'text'", arguments="x varchar", returns="varchar")
    define(run, "kind", "def f(x, y):\n    return 'two'", arguments="x int, y int default 3", returns="varchar")
    assert run("select kind(1), kind('a'), kind(1, 2), kind(y => 1, x => 2)") == [("number", "text", "two", "two")]
    run("drop function kind(varchar)")
    assert [row[8] for row in run("show user functions like 'kind'")] == [
        "KIND(NUMBER) RETURN VARCHAR",
        "KIND(NUMBER, NUMBER) RETURN VARCHAR",
    ]


def test_errors_have_snowflakes_numbers(run: Run) -> None:
    define(run, "failing", "def f(x):\n    return 1 // x")
    with pytest.raises(SnowparkSQLException, match="Unknown function NOBODY") as unknown:
        run("select nobody(1)")
    assert unknown.value.sql_error_code == 2140
    with pytest.raises(SnowparkSQLException, match=r"Unknown user-defined function PUBLIC\.NOBODY") as qualified:
        run("select public.nobody(1)")
    assert qualified.value.sql_error_code == 2141
    with pytest.raises(SnowparkSQLException, match="Invalid argument types for function 'FAILING'") as wrong:
        run("select failing(1, 2)")
    assert wrong.value.sql_error_code == 1044
    with pytest.raises(SnowparkSQLException, match="Python Interpreter Error:") as raised:
        run("select failing(0)")
    assert raised.value.sql_error_code == 100357
    message = str(raised.value)
    assert 'File "_udf_code.py", line 3, in f' in message
    assert "ZeroDivisionError" in message
    assert "in function FAILING with handler f" in message
    assert "firnline_sandbox" not in message


def test_a_result_of_the_wrong_type_is_refused(run: Run) -> None:
    define(run, "liar", "def f(x):\n    return 'seven'")
    with pytest.raises(SnowparkSQLException, match=r"returned a value of type str for NUMBER\(38,0\)"):
        run("select liar(1)")


def test_a_worker_that_dies_is_named_with_its_last_words(run: Run) -> None:
    define(run, "dying", "import os\ndef f(x):\n    print('out of fuel', flush=True)\n    os._exit(3)")
    with pytest.raises(SnowparkSQLException, match=r"DYING ended with exit code 3(?s:.*)out of fuel"):
        run("select dying(1)")


def test_memory_is_limited() -> None:
    from firnline_sandbox.functions.room import FunctionLimits, FunctionRoom

    with SandboxEngine.open() as engine, engine.connect() as connection:
        engine._parts["functions"] = FunctionRoom(engine, FunctionLimits(memory_mb=600))
        cursor = connection.cursor()
        cursor.execute(
            "create function greedy(x int) returns int language python handler = 'f' as "
            "$$\ndef f(x):\n    return len(bytearray(x))\n$$"
        )
        assert cursor.execute("select greedy(1000)").fetchall() == [(1000,)]
        with pytest.raises(Exception, match="MemoryError"):
            cursor.execute("select greedy(2000000000)")


def test_a_cancelled_query_kills_its_worker() -> None:
    with SandboxEngine.open() as engine, engine.connect() as connection:
        cursor = connection.cursor()
        cursor.execute(
            "create function sleepy(x int) returns int language python handler = 'f' as "
            "$$\nimport time\ndef f(x):\n    time.sleep(x)\n    return x\n$$"
        )
        cursor.execute("select sleepy(0)")
        (process_id,) = engine.part("functions").functions.process_ids()
        threading.Timer(0.5, lambda: engine.history.cancel(running(engine))).start()
        began = time.monotonic()
        with pytest.raises(Exception, match="canceled"):
            cursor.execute("select sleepy(60)")
        assert time.monotonic() - began < 20
        with pytest.raises(ProcessLookupError):
            os.kill(process_id, 0)


def running(engine: SandboxEngine) -> str:
    """Give the id of the newest query."""
    return engine.history.records()[-1].query_id


def test_user_code_runs_elsewhere(run: Run) -> None:
    define(run, "process_id", "import os\ndef f(x):\n    return os.getpid()")
    (found,) = {row[0] for row in run("select process_id(n) from (select 1 n union all select 2)")}
    assert found != os.getpid()


def test_vectorized_functions_get_pandas_data(session: Session) -> None:
    @pandas_udf(return_type=PandasSeriesType(FloatType()), input_types=[PandasSeriesType(FloatType())], session=session)
    def standardised(values: pd.Series) -> pd.Series:
        assert isinstance(values, pd.Series)
        return values - values.mean()

    frame = session.create_dataframe([[1.0], [2.0], [None]], schema=["x"])
    assert [row[0] for row in frame.select(standardised("x")).collect()] == [-0.5, 0.5, None]


def test_a_strict_vectorized_function_sees_no_null(run: Run) -> None:
    body = """
import pandas
def f(df):
    assert df[0].notna().all()
    return df[0] + df[1]
f._sf_vectorized_input = pandas.DataFrame
"""
    define(run, "strictly", body, arguments="x int, y int", options="strict")
    rows = run("select strictly(iff(n = 1, null, n), 10) from (select seq4() n from table(generator(rowcount => 3)))")
    assert sorted(rows, key=str) == [(10,), (12,), (None,)]


def test_a_vectorized_body_with_batches(run: Run) -> None:
    body = """
from _snowflake import vectorized
import pandas

@vectorized(input=pandas.DataFrame, max_batch_size=2)
def f(df):
    return [len(df)] * len(df)
"""
    define(run, "batch", body)
    rows = run("select batch(n) from (select seq4() n from table(generator(rowcount => 3)))")
    assert sorted(rows) == [(1,), (2,), (2,)]


def test_imports_from_a_stage(session: Session, tmp_path: Path) -> None:
    (tmp_path / "tripling.py").write_text("def triple(x):\n    return 3 * x\n")
    (tmp_path / "words.txt").write_text("hello")
    session.sql("create or replace stage code").collect()
    for name in ("tripling.py", "words.txt"):
        session.file.put(str(tmp_path / name), "@code", auto_compress=False)
    session.sql(
        "create function triple(x int) returns int language python handler = 'tripling.triple' "
        "imports = ('@code/tripling.py')"
    ).collect()
    session.sql(
        "create function word() returns varchar language python handler = 'f' imports = ('@code/words.txt') as $$\n"
        "import sys\ndef f():\n    folder = sys._xoptions['snowflake_import_directory']\n"
        "    return open(folder + 'words.txt').read()\n$$"
    ).collect()
    assert [tuple(row) for row in session.sql("select triple(5), word()").collect()] == [(15, "hello")]
    with pytest.raises(SnowparkSQLException, match=r"Cannot find the file '@code/absent\.py'"):
        session.sql(
            "create function absent() returns int language python handler = 'absent.f' imports = ('@code/absent.py')"
        ).collect()


def test_a_function_from_a_file_stays(session: Session, tmp_path: Path) -> None:
    (tmp_path / "mod.py").write_text("def modulo(x: int) -> int:\n    return x % 5\n")
    session.sql("create or replace stage permanent").collect()
    session.udf.register_from_file(
        str(tmp_path / "mod.py"),
        "modulo",
        name="mod5",
        is_permanent=True,
        stage_location="@permanent",
        return_type=IntegerType(),
        input_types=[IntegerType()],
        replace=True,
    )
    assert session.range(7, 8).select(call_udf("mod5", col("id"))).collect()[0][0] == 2


def test_packages_are_those_of_this_environment(run: Run) -> None:
    define(run, "versioned", "import numpy\ndef f(x):\n    return int(numpy.sum([x]))", options="packages = ('numpy')")
    assert run("select versioned(3)") == [(3,)]
    with pytest.raises(SnowparkSQLException, match=r"no-such-package \(not installed\)"):
        define(run, "broken", "def f(x): ...", options="packages = ('no-such-package')")


def test_functions_in_sql(run: Run) -> None:
    run("create or replace function area(r float) returns float as 'pi() * r * r'")
    run("create or replace table circles as select 1 as r union all select 2")
    run("create or replace function largest(low int) returns int as 'select max(r) from circles where r > low'")
    assert run("select round(area(r), 2), largest(r) from circles order by r") == [(3.14, 2), (12.57, None)]
    assert run("select count(distinct area(uniform(1, 1000, random()))) = 1 from circles")[0][0] in {True, False}
    run("create or replace function endless(x int) returns int as 'endless(x)'")
    with pytest.raises(SnowparkSQLException, match="recursive"):
        run("select endless(1)")


def test_languages_that_are_not_there_are_refused_by_name(run: Run) -> None:
    with pytest.raises(SnowparkSQLException, match="functions and procedures in JAVASCRIPT"):
        run("create function js(x float) returns float language javascript as 'return X'")
    with pytest.raises(SnowparkSQLException, match="SECRETS of a function"):
        define(run, "secretive", "def f(x): ...", options="secrets = ('a' = b)")


def test_describe_comment_and_alter(run: Run) -> None:
    define(run, "documented", "def f(x):\n    return x", options="immutable strict comment = 'first'")
    described = dict(run("describe function documented(int)"))
    assert described["signature"] == "(X NUMBER)"
    assert described["null handling"] == "RETURNS NULL ON NULL INPUT"
    assert described["volatility"] == "IMMUTABLE"
    assert described["handler"] == "f"
    run("comment on function documented(int) is 'second'")
    assert "second" in run("select get_ddl('function', 'documented(int)')")[0][0]
    run("alter function documented(int) rename to renamed")
    assert run("select renamed(4)") == [(4,)]
    with pytest.raises(SnowparkSQLException, match="does not exist"):
        run("drop function documented(int)")
    run("drop function if exists documented(int)")
    with pytest.raises(SnowparkSQLException, match="already exists"):
        run("create function renamed(x int) returns int as 'x'")
    run("create function if not exists renamed(x int) returns int as '0'")
    assert run("select renamed(4)") == [(4,)]


def test_functions_belong_to_schemas_and_transactions(run: Run) -> None:
    run("create schema if not exists other")
    run("use schema public")
    run("create or replace function other.here() returns varchar as 'current_schema()'")
    assert run("select other.here()") == [("OTHER",)]
    with pytest.raises(SnowparkSQLException, match="Unknown function HERE"):
        run("select here()")
    run("drop schema other")
    with pytest.raises(SnowparkSQLException, match=r"Unknown user-defined function OTHER\.HERE"):
        run("select other.here()")


def test_temporary_functions_are_the_sessions_own_and_permanent_ones_survive(tmp_path: Path) -> None:
    with SandboxEngine.open(tmp_path) as engine:
        with engine.connect() as one, engine.connect() as two:
            one.cursor().execute("create temporary function mine() returns int as '1'")
            one.cursor().execute(
                "create function ours() returns int language python handler = 'f' as $$\ndef f():\n    return 2\n$$"
            )
            assert one.cursor().execute("select mine(), ours()").fetchall() == [(1, 2)]
            with pytest.raises(Exception, match="Unknown function MINE"):
                two.cursor().execute("select mine()")
        process_ids = engine.part("functions").functions.process_ids()
    for process_id in process_ids:
        with pytest.raises(ProcessLookupError):
            os.kill(process_id, 0)
    with SandboxEngine.open(tmp_path) as engine, engine.connect() as connection:
        assert connection.cursor().execute("select ours()").fetchall() == [(2,)]
        with pytest.raises(Exception, match="Unknown function MINE"):
            connection.cursor().execute("select mine()")
        connection.cursor().execute("create table t (n int)")
    # The first use in a new process may be inside of a writing transaction.
    with SandboxEngine.open(tmp_path) as engine, engine.connect() as connection:
        connection.cursor().execute("insert into t select ours()")
        assert connection.cursor().execute("select n from t").fetchall() == [(2,)]


def test_variants_from_snowpark(session: Session) -> None:
    keys = session.udf.register(
        lambda value: sorted(value), return_type=VariantType(), input_types=[VariantType()], strict=True
    )
    frame = session.sql("""select parse_json('{"b": 1, "a": 2}') v union all select null""")
    assert {row[0] for row in frame.select(keys("v")).collect()} == {'[\n  "a",\n  "b"\n]', None}
    greet = session.udf.register(lambda: "hi", return_type=StringType(), input_types=[])
    assert session.range(2).select(greet(), lit(1)).collect()[1][0] == "hi"
