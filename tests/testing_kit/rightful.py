"""A plugin that does everything right, and one that does everything wrong beside it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

from pydantic import Field

from firnline.domain import (
    Files,
    Metrics,
    Model,
    Params,
    Port,
    SourceContext,
    StepContext,
    StepSpec,
    Value,
    step,
)
from firnline.hooks import hookimpl


class CountParams(Params):
    path: str = Field("words.txt", description="The text file to count.")
    unit: Literal["words", "lines"] = Field("words", description="What is counted.")


def state_of_file(params: CountParams, context: SourceContext) -> str:
    return (context.project / params.path).read_text(encoding="utf-8")


@step("words.count", outputs={"metrics": Metrics, "words": Files}, source=state_of_file)
def count(context: StepContext, params: CountParams) -> dict[str, Metrics | Files]:
    """Count the words of a file."""
    text = (context.project / params.path).read_text(encoding="utf-8")
    found = text.split() if params.unit == "words" else text.splitlines()
    context.progress("counted", len(found))
    (context.directory / "words.txt").write_text("\n".join(found), encoding="utf-8")
    return {"metrics": Metrics(values={"count": float(len(found))}), "words": Files(path=context.directory)}


@step("words.keep")
def keep(context: StepContext, params: Params, words: Files, more: list[Metrics], note: Value | None = None) -> Value:
    """Keep the words as a value."""
    return context.save((words.path / "words.txt").read_text(encoding="utf-8"))


@hookimpl
def firnline_steps() -> list[StepSpec]:
    return [count, keep]


def write_words(context: StepContext) -> dict[str, Files | list[Metrics]]:
    """Make the inputs of `words.keep`."""
    (context.directory / "words.txt").write_text("one two", encoding="utf-8")
    return {"words": Files(path=context.directory), "more": [Metrics(values={"count": 2.0})]}


def write_source(context: StepContext) -> dict[str, Files]:
    """Make the file that `words.count` reads."""
    (context.project / "words.txt").write_text("one two\nthree", encoding="utf-8")
    return {}


class LooseParams(Params, extra="allow"):
    threshold: float = 0.5


def wrong(context: StepContext, params: LooseParams, other: Files) -> Metrics:
    """Swallow errors, write beside its folder, never listen, and return nonsense."""
    with (context.project / "log.txt").open("a", encoding="utf-8") as log:
        log.write("x")
    try:
        context.progress("half way")
    except Exception:  # noqa: BLE001 (what the kit must find)
        return Metrics(values={"seconds": -1.0})
    if context.is_cancelled():
        time.sleep(2)
    return Metrics(values={"seconds": time.perf_counter(), "ratio": float("nan")})


WRONG = StepSpec(
    id="Wrong",
    run=wrong,
    summary="",
    params=LooseParams,
    inputs={"files": Port(kind=Files), "class": Port(kind=Path)},
    outputs={"metrics": Port(kind=Metrics, optional=True), "model": Port(kind=Model)},
    runs_in="process",
    platform=True,
    source=lambda params: str(time.perf_counter()),
    modules=("json",),
)
