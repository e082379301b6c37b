"""Steps that do next to nothing, for tests of the engine. A stage's params say how it behaves."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import Field

from firnline.domain import (
    Files,
    Metrics,
    Params,
    PlatformSpec,
    Port,
    SourceContext,
    StepContext,
    StepSpec,
    Table,
    Value,
    step,
)
from firnline.errors import DataError, InterruptedRunError, PlatformError, StoppedByGateError, TransientError
from firnline.hooks import hookimpl

CALLS = "calls.txt"


def note(context: StepContext) -> None:
    """Note in the project that a stage really ran."""
    with (context.project / CALLS).open("a") as file:
        file.write(f"{context.stage}\n")


class SourceParams(Params):
    """Params of toy.source."""

    path: str | None = Field(None, description="a file whose content is the source's state")
    value: int = Field(1, ge=0, le=1000, description="the number that it gives")


def state(params: SourceParams, context: SourceContext) -> str:
    """The state of a source is its file's text."""
    return (context.project / params.path).read_text() if params.path else "constant"


@step("toy.source", source=state)
def source(context: StepContext, params: SourceParams) -> Value:
    """Give a number."""
    note(context)
    return context.save(params.value)


class AddParams(Params):
    """Params of toy.add."""

    plus: int = Field(1, description="what is added")
    mode: Literal["plain", "loud"] = Field("plain", description="loud prints what it does")
    sleep_s: float = Field(0.0, ge=0, description="seconds that it takes")


@step("toy.add")
def add(context: StepContext, params: AddParams, left: Value, right: Value | None) -> Value:
    """Add a constant, and maybe another number."""
    note(context)
    if params.mode == "loud":
        print("a loud step")
        context.logger.info("a logged line")
    time.sleep(params.sleep_s)
    context.progress("adding", rows=7)
    return context.save(left.load() + params.plus + (right.load() if right is not None else 0))


@step("toy.total", outputs={"metrics": Metrics, "files": Files})
def total(context: StepContext, params: Params, numbers: list[Value]) -> dict[str, object]:
    """Sum many numbers."""
    note(context)
    folder = context.directory / "files"
    folder.mkdir()
    value = sum(number.load() for number in numbers)
    (folder / "total.txt").write_text(str(value))
    return {"metrics": Metrics(values={"total": value}), "files": Files(path=folder)}


class FailParams(Params):
    """Params of toy.fail."""

    how: Literal["error", "data", "gate", "transient", "wrong", "hang", "exit", "nothing"] = Field(
        "error", description="the way in which it fails"
    )
    times: int = Field(1000, description="it succeeds after so many failures")


@step("toy.fail")
def fail(context: StepContext, params: FailParams, left: Value | None) -> Value:
    """Fail in the way that the params say."""
    note(context)
    tries = (context.project / CALLS).read_text().split().count(context.stage)
    if tries > params.times or params.how == "nothing":
        return context.save(tries)
    match params.how:
        case "error":
            raise ZeroDivisionError("a bug in the step")
        case "data":
            raise DataError("the data is odd", hint="look at it")
        case "gate":
            raise StoppedByGateError("below the threshold", hint="lower it")
        case "transient":
            raise TransientError("the line is busy")
        case "wrong":
            return Metrics(values={})  # type: ignore[return-value]
        case "exit":
            raise SystemExit(3)
        case "hang":
            while not context.is_cancelled():
                time.sleep(0.01)
            raise RuntimeError("it was cancelled")
        case _:
            raise AssertionError(params.how)


class AskParams(Params):
    """Params of toy.ask."""

    overrides: tuple[str, ...] = Field((), description="of the run that it asks for")
    gate: bool = Field(False, description="it is stopped by a gate after it has asked")
    hang: bool = Field(False, description="it sleeps after it has asked")


@step("toy.ask")
def ask(context: StepContext, params: AskParams) -> Value:
    """Ask for another run."""
    note(context)
    context.request_run(params.overrides, "the numbers have moved")
    if params.gate:
        raise StoppedByGateError("below the threshold", hint="lower it")
    while params.hang and not context.is_cancelled():
        time.sleep(0.01)
    return context.save(1)


@step("toy.picky")
def picky(context: StepContext, params: Params, left: Value) -> Value:
    """Refuse every tenth number, until the project has a file ``mended``."""
    if left.load() % 10 == 0 and not (context.project / "mended").exists():
        raise DataError("a tenth number")
    return context.save(left.load())


@step("toy.table", platform=True)
def table(context: StepContext, params: SourceParams) -> Table:
    """Make a table, of which the toy platform keeps the name."""
    note(context)
    name = context.table_name()
    platform_file(context.project).open("a").write(f"{name}\n")
    if params.value == 13:
        raise DataError("odd data in a table")
    return Table(name=name, rows=params.value, columns=("A",))


class QueryParams(Params):
    """Params of toy.query."""

    sql: str = Field(description="the query that it runs")


@step("toy.query", platform=True)
def query(context: StepContext, params: QueryParams, left: Value | None) -> Value:
    """Run a query."""
    note(context)
    session = context.session
    context.progress("the query starts")
    return context.save(session.sql(params.sql).collect()[0][0])


class RowsParams(Params):
    """Params of toy.rows."""

    rows: int = Field(20_000, description="how many rows it makes")
    pause_s: float = Field(0.0, description="seconds between its two statements")


@step("toy.rows", platform=True)
def rows(context: StepContext, params: RowsParams, left: Table | None) -> Table:
    """Make a table in two statements; complain if the one that it takes from is not whole."""
    note(context)
    if left is not None:
        [[found]] = context.session.sql(f"select count(*) from {left.name}").collect()
        if found != left.rows:
            raise DataError(f"{left.name} has {found} rows instead of {left.rows}")
    name = context.table_name()
    half = params.rows // 2
    context.session.sql(
        f"create table {name} as select seq4() as n from table(generator(rowcount => {half}))"
    ).collect()
    context.progress("half of the rows are there", rows=half)
    time.sleep(params.pause_s)
    context.session.sql(f"insert into {name} select n + {half} from {name}").collect()
    return Table(name=name, rows=2 * half, columns=("N",))


@step("toy.stubborn")
def stubborn(context: StepContext, params: AddParams) -> Value:
    """Take its time, whatever one asks of it."""
    note(context)
    context.progress("it sleeps")
    time.sleep(params.sleep_s)
    return context.save(1)


def burn(context: StepContext, params: SourceParams) -> dict[str, object]:
    """Give the id of the process that it runs in."""
    print("printed in the process")
    note(context)
    context.progress("burning", rows=3)
    if params.value == 13:
        os._exit(13)
    if params.value == 14:
        (context.project / "burning.pid").write_text(str(os.getpid()))
        time.sleep(600)
    if params.value == 15:
        raise DataError("odd data in a process", hint="look at it")
    if params.value == 16 and len((context.project / CALLS).read_text().split()) < 3:
        raise ConnectionResetError("the line broke")
    if params.value == 17:
        threading.Thread(target=time.sleep, args=(600,)).start()
    return {"value": context.save(os.getpid())}


class LearnParams(Params):
    """Params of toy.learn."""

    rate: int = Field(1, ge=0, le=100, description="the score after one round")
    rounds: int = Field(3, ge=1, le=100, description="how many rounds")
    wait_s: float = Field(0.0, ge=0, le=60, description="how long it waits after each round, unless it is stopped")


@step("toy.learn")
def learn(context: StepContext, params: LearnParams) -> Metrics:
    """Get better by the same amount in each round, and tell so."""
    for done in range(1, params.rounds + 1):
        context.measured(done, score=params.rate * done)
        ends = time.monotonic() + params.wait_s
        while time.monotonic() < ends and not context.is_cancelled():
            time.sleep(0.005)
        if context.is_cancelled():
            raise InterruptedRunError("it was stopped")
    return Metrics(values={"score": float(params.rate * params.rounds)})


BURN = StepSpec(
    id="toy.burn",
    run=burn,
    summary="Burn CPU in a process.",
    params=SourceParams,
    outputs={"value": Port(kind=Value)},
    runs_in="process",
)


class ToyPlatform:
    """A platform whose tables are lines of a file in the project."""

    def __init__(self, project: Path, stuck: bool = False) -> None:
        self.file = platform_file(project)
        self.stuck = stuck

    def session(self, query_tag: str) -> object:
        raise PlatformError("the toy platform has no session")

    def schema(self) -> str:
        return "TOY.PUBLIC"

    def missing(self, tables: Iterable[str]) -> frozenset[str]:
        there = self.file.read_text().split() if self.file.exists() else []
        return frozenset(tables) - set(there)

    def table_state(self, table: str) -> str:
        return "same"

    def publish(self, name: str, table: str) -> None:
        if self.stuck:
            raise ZeroDivisionError("the platform has a bug")
        self.file.with_suffix(".views").open("a").write(f"{name} {table}\n")

    def discard(self, tables: Iterable[str]) -> None:
        if self.stuck:
            raise ZeroDivisionError("the platform has a bug")
        kept = [line for line in self.file.read_text().split() if line not in set(tables)] if self.file.exists() else []
        self.file.write_text("".join(f"{line}\n" for line in kept))

    def close(self) -> None:
        pass


def platform_file(project: Path) -> Path:
    return project / "toy_platform.txt"


class ToyPlatformParams(Params):
    """Params of the toy platform."""

    reachable: bool = Field(True, description="False makes it unreachable")
    stuck: bool = Field(False, description="True makes it fail whenever it is asked to change something")


def open_toy(params: ToyPlatformParams, project: Path) -> ToyPlatform:
    if not params.reachable:
        raise PlatformError("the toy platform is down", hint="switch it on")
    return ToyPlatform(project, params.stuck)


@hookimpl
def firnline_steps() -> list[StepSpec]:
    return [source, add, ask, total, fail, picky, table, query, rows, stubborn, learn, BURN]


@hookimpl
def firnline_platforms() -> list[PlatformSpec]:
    return [
        PlatformSpec(
            name="toy",
            summary="Keep names of tables in a file.",
            params=ToyPlatformParams,
            open=open_toy,
            identity=lambda params, project: "toy",
            supports=frozenset({"tables"}),
            lacks={"gpu": "it is a file"},
        )
    ]
