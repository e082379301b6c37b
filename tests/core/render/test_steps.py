"""Steps and plugins in the terminal."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import pytest
from pydantic import Field

from firnline.cli.render.params import param_rows
from firnline.cli.render.steps import StepPage, render_plugins, render_step, render_steps
from firnline.domain import Metrics, Model, Params, Port, StepSpec, Table
from firnline.loading import Clash, Offer, PluginReport
from tests.core.samples import shown


class Booster(Params):
    """A nested model."""

    rounds: int = Field(100, ge=1, description="Trees.")


class TrainParams(Params):
    """Everything that a params model may have."""

    target: str = Field(min_length=1, description="The column to predict.")
    max_depth: int = Field(6, ge=1, le=32, description="Depth of each tree.")
    eta: float = Field(0.3, gt=0, le=1)
    objective: Literal["auto", "binary"] = "auto"
    seed: int | None = None
    columns: tuple[str, ...] = ()
    pair: tuple[int, str] = (1, "a")
    weights: dict[str, float] = Field(default_factory=dict)
    booster: Booster = Booster()
    layers: list[Annotated[int, Field(gt=0)]] = Field([1], min_length=1)


PLUGIN = PluginReport(
    name="snowpark", distribution="firnline", version="0.1.0", location="firnline_snowpark.plugin", healthy=True
)
SPEC = StepSpec(
    id="train.xgboost",
    run="somewhere:run",
    summary="Fit gradient-boosted trees.",
    params=TrainParams,
    inputs={"train": Port(kind=Table, description="The training part."), "valid": Port(kind=Table, optional=True)},
    outputs={"model": Port(kind=Model), "metrics": Port(kind=Metrics)},
    runs_in="process",
    modules=("xgboost",),
    extra="snowflake",
)
PAGE = StepPage(offer=Offer(spec=SPEC, plugin=PLUGIN), options={"train=xgboost": "firnline_snowpark/conf/train"})


def test_params_in_words() -> None:
    assert [(row.name, row.type, row.default) for row in param_rows(TrainParams)] == [
        ("target", "string, 1 or more characters", None),
        ("max_depth", "integer ≥ 1, ≤ 32", "6"),
        ("eta", "number > 0, ≤ 1", "0.3"),
        ("objective", '"auto" or "binary"', '"auto"'),
        ("seed", "integer or null", "null"),
        ("columns", "list of string", "[]"),
        ("pair", "[integer, string]", '[1, "a"]'),
        ("weights", "mapping of names to number", "(computed)"),
        ("booster", "mapping", '{"rounds": 100}'),
        ("booster.rounds", "integer ≥ 1", "100"),
        ("layers", "list of integer > 0, 1 or more items", "[1]"),
    ]


def test_params_of_nothing() -> None:
    assert param_rows(Params) == []
    assert "It has no params." in shown(
        render_step(StepPage(offer=Offer(spec=replace(SPEC, params=Params), plugin=PLUGIN)))
    )


@pytest.mark.parametrize("width", [80, 140])
def test_one_step(width: int) -> None:
    text = shown(render_step(PAGE), width)
    for word in (
        "train.xgboost",
        "firnline 0.1.0 (plugin snowpark)",
        "Fit gradient-boosted trees.",
        "The training part.",
        "Table, optional",
        "required",
        "Depth of each tree.",
        "a process",
        "xgboost (installed)",
        "train=xgboost",
    ):
        assert word in text
    assert max(len(line) for line in text.splitlines()) <= width


def test_a_step_without_option_file_says_how_to_use_it() -> None:
    assert "uses: train.xgboost" in shown(render_step(replace(PAGE, options={})))


def test_what_is_missing_says_which_extra_brings_it() -> None:
    assert 'needs xgboost: pip install "firnline[snowflake]"' in shown(render_step(replace(PAGE, missing=("xgboost",))))
    spec = replace(SPEC, extra="team-steps[gpu]")
    text = shown(render_step(StepPage(offer=Offer(spec=spec, plugin=PLUGIN), missing=("xgboost",))))
    assert 'pip install "team-steps[gpu]"' in text


def test_list_of_steps() -> None:
    other = StepPage(offer=Offer(spec=replace(SPEC, id="a.first"), plugin=PLUGIN), missing=("torch",))
    clash = Clash(kind="step", name="x.y", plugins=(PLUGIN, replace(PLUGIN, distribution="other")))
    for width in (80, 140):
        text = shown(render_steps([PAGE, other], [clash]), width)
        assert text.index("a.first") < text.index("train.xgboost")
        assert "2 steps." in text
        assert "clash: step 'x.y' is offered by firnline 0.1.0" in text
    assert "firnline plugins" in shown(render_steps([]))


def test_plugins() -> None:
    broken = replace(PLUGIN, name="bad", healthy=False, reason="ImportError: no [bold]module", output="hello\n")
    denied = replace(PLUGIN, name="off", healthy=False, denied=True, reason="denied by FIRNLINE_PLUGINS_DENY")
    text = shown(render_plugins([PLUGIN, broken, denied]), 100)
    assert "✓ healthy" in text
    assert "✗ ImportError: no [bold]module" in text
    assert "it printed: hello" in text
    assert "– left out: denied by FIRNLINE_PLUGINS_DENY" in text
    assert text.splitlines()[-1] == "3 plugins: 1 healthy, 1 broken, 1 left out on purpose."
    assert "firnline.plugins" in shown(render_plugins([]))
