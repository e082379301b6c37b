"""features.snowpark and features.udf: the user's own Python, from the project folder, computed on the platform."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from firnline.domain import SourceContext, Table
from firnline.errors import DataError, UsageError
from firnline_snowpark.query.function_params import (
    ColumnFunctionsParams,
    FrameFunctionParams,
    column_functions_state,
    frame_function_state,
)
from tests.snowpark.churn_world import World
from tests.snowpark.fetched import count_fetched

FRAMES = """
from snowflake.snowpark import functions as sf
from shop import rules

def build(orders, customers, *, least=0):
    from shop.late import NAME
    large = orders.filter(sf.col("AMOUNT") > sf.lit(least * rules.FACTOR))
    sums = large.group_by("C").agg(sf.sum("AMOUNT").alias(NAME))
    return customers.join(sums, customers["ID"] == sums["C"], "left").select("ID", NAME)

def rows(orders, customers):
    return orders.collect()
"""
COLUMNS = """
from shop.rules import FACTOR

def risk(amount, kind):
    return amount * FACTOR + len(kind)

def scaled(amounts):
    return amounts * FACTOR

def fails(amount):
    raise ValueError(f"no risk for {amount}")
"""


@pytest.fixture(scope="module")
def shop(world: World) -> Path:
    """Write the project's modules."""
    project = world.context("given").project
    (project / "shop").mkdir()
    for name, text in {
        "__init__": "",
        "frames": FRAMES,
        "columns": COLUMNS,
        "rules": "FACTOR = 2\n",
        "late": "NAME = 'TOTAL'\n",
    }.items():
        (project / "shop" / f"{name}.py").write_text(text)
    return project


@pytest.fixture(scope="module")
def orders(world: World) -> Table:
    return world.table("C INT, AMOUNT FLOAT, KIND TEXT", "1, 5.0, 'ab'", "1, 7.5, NULL", "2, 0.5, 'c'")


@pytest.fixture(scope="module")
def customers(world: World) -> Table:
    return world.table("ID INT", "1", "2")


def test_a_function_of_data_frames_makes_the_table(world: World, shop: Path, orders: Table, customers: Table) -> None:
    params: dict[str, Any] = {"function": "shop.frames:build", "names": ["orders", "customers"]}
    with count_fetched() as fetched:
        found = world.run("features.snowpark", params | {"arguments": {"least": 3}}, tables=[orders, customers])
    assert fetched.rows <= 3  # counts and answers to statements, none of the tables' rows
    assert world.rows(found["table"]) == [(1, 7.5), (2, None)]
    rules = shop / "shop" / "rules.py"
    rules.write_text("FACTOR = 0.5\n")  # in the same process the changed code counts
    found = world.run("features.snowpark", params | {"arguments": {"least": 3}}, tables=[orders, customers])
    assert world.rows(found["table"]) == [(1, 12.5), (2, None)]
    rules.write_text("FACTOR = 2\n")


def test_the_code_that_a_function_imports_is_part_of_the_key(shop: Path) -> None:
    context = SourceContext(project=shop, open_platform=lambda: pytest.fail("no platform is needed"))
    frames = FrameFunctionParams(function="shop.frames:build")
    columns = ColumnFunctionsParams.model_validate(
        {"apply": {"A": {"function": "shop.columns:risk", "columns": ["X"], "type": "number"}}}
    )
    before = frame_function_state(frames, context), column_functions_state(columns, context)
    assert before == (frame_function_state(frames, context), column_functions_state(columns, context))
    late = shop / "shop" / "late.py"
    late.write_text("NAME = 'TOTAL'  # told\n")
    after = frame_function_state(frames, context), column_functions_state(columns, context)
    assert after[0] != before[0]
    assert after[1] == before[1]
    late.write_text("NAME = 'TOTAL'\n")


@pytest.mark.parametrize(
    ("function", "says", "hint"),
    [
        ("shop.farmes:build", "there is no file", "frames.py"),
        ("shop.frames:built", "defines no 'built'", "build"),
        ("json:loads", "one of Python's own", "another name"),
    ],
)
def test_a_function_that_is_not_there_is_told_while_planning(shop: Path, function: str, says: str, hint: str) -> None:
    context = SourceContext(project=shop, open_platform=lambda: pytest.fail("no platform is needed"))
    with pytest.raises(UsageError, match=says) as caught:
        frame_function_state(FrameFunctionParams(function=function), context)
    assert hint in (caught.value.hint or "")


def test_a_module_that_is_no_python_is_told_with_its_line(shop: Path) -> None:
    (shop / "broken.py").write_text("x = 1\ndef f(:\n")
    context = SourceContext(project=shop, open_platform=lambda: pytest.fail("no platform is needed"))
    with pytest.raises(UsageError, match=r"broken.py, line 2"):
        frame_function_state(FrameFunctionParams(function="broken:f"), context)


@pytest.mark.usefixtures("shop")
def test_a_function_that_cannot_be_called_or_returns_rows_is_refused(
    world: World, orders: Table, customers: Table
) -> None:
    with pytest.raises(UsageError, match=r"build\(orders, customers.*cannot be called with table"):
        world.run("features.snowpark", {"function": "shop.frames:build"}, tables=[orders])
    with pytest.raises(DataError, match="returned a list"):
        world.run(
            "features.snowpark",
            {"function": "shop.frames:rows", "names": ["orders", "customers"]},
            tables=[orders, customers],
        )


@pytest.mark.usefixtures("shop")
def test_functions_over_columns_run_on_the_platform(world: World, orders: Table) -> None:
    params = {
        "apply": {
            "risk": {"function": "shop.columns:risk", "columns": ["AMOUNT", "kind"], "type": "number"},
            "SCALED": {
                "function": "shop.columns:scaled",
                "columns": ["AMOUNT"],
                "type": "number",
                "vectorized": True,
                "batch_rows": 2,
            },
        },
        "keep": ["AMOUNT"],
    }
    found = world.run("features.udf", params, table=orders)
    assert found["table"].columns == ("AMOUNT", "RISK", "SCALED")
    assert world.rows(found["table"]) == [(0.5, 2.0, 1.0), (5.0, 12.0, 10.0), (7.5, None, 15.0)]


@pytest.mark.usefixtures("shop")
def test_functions_over_columns_fetch_no_rows(world: World, orders: Table) -> None:
    many = world.changed(orders, "INSERT INTO {} SELECT 1, 5.0, 'ab' FROM TABLE(GENERATOR(ROWCOUNT => 5000))")
    params = {"apply": {"risk": {"function": "shop.columns:risk", "columns": ["AMOUNT", "kind"], "type": "number"}}}
    with count_fetched() as fetched:
        found = world.run("features.udf", params, table=many)
    assert world.session.table(found["table"].name).count() == 5_003
    assert fetched.rows < 1_000  # a line a statement, and one a file on the session's stage, whoever put it there


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("applied", "error", "says"),
    [
        ({"function": "shop.columns:fails", "columns": ["AMOUNT"]}, DataError, "no risk for"),
        ({"function": "shop.columns:risk", "columns": ["AMOUNT"]}, UsageError, "cannot be called with 1 columns"),
        ({"function": "shop.columns:scaled", "columns": ["AMUONT"]}, DataError, "AMUONT"),
    ],
)
def test_functions_that_do_not_fit_are_refused(
    world: World, orders: Table, applied: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=f"(?s){says}"):
        world.run("features.udf", {"apply": {"NEW": applied | {"type": "number"}}}, table=orders)


def test_a_new_column_must_not_hide_another(world: World, shop: Path, orders: Table) -> None:
    assert shop.is_dir()
    applied = {"function": "shop.columns:scaled", "columns": ["AMOUNT"], "type": "number"}
    with pytest.raises(DataError, match="'AMOUNT' is there already"):
        world.run("features.udf", {"apply": {"amount": applied}}, table=orders)
