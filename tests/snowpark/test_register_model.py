"""A registered version carries what an auditor asks for, is named after its key, and predicts as the model does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from firnline.domain import Metrics, RegisteredModel
from firnline.errors import DataError
from firnline_snowpark.register.facts import NAME, VersionFacts
from firnline_snowpark.register.model import default_name, move_alias, open_registry
from tests.snowpark.churn_world import World
from tests.snowpark.plans import FEATURES, Trained, plans_table, train

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")

KEY = "0123456789abcdef" * 2
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def trained(world: World) -> Trained:
    return train(world, plans_table(world), "PLAN")


@pytest.fixture(scope="module")
def outputs(world: World, trained: Trained) -> Any:
    return register(world, trained, {"name": "plans", "comment": "For the tests"})


def register(world: World, trained: Trained, params: dict[str, Any] | None = None, key: str = KEY) -> Any:
    ports = {"model": trained.model, "metrics": trained.metrics, "data": trained.table, "features": trained.table}
    return world.run("register.model", params, key=key, **ports)


def version_of(world: World, registered: RegisteredModel) -> Any:
    registry = open_registry(world.context("look"))
    return registry.get_model(registered.name.rpartition(".")[2]).version(registered.version)


def test_mandatory_metadata_is_there(world: World, trained: Trained, outputs: Any) -> None:
    registered = outputs["registered"]
    assert registered == RegisteredModel(name="FIRNLINE.PUBLIC.PLANS", version="V_0123456789AB")
    version = version_of(world, registered)
    shown = version.show_metrics()
    assert {name: value for name, value in shown.items() if name != NAME} == trained.metrics.values
    facts = VersionFacts.from_json(shown[NAME])
    assert (facts.key, facts.run_id, facts.pipeline) == (KEY, "test-run", "test")
    assert len({facts.data_version, facts.feature_version, facts.model_version}) == 3
    assert facts.params["regularization"] == 1.0
    assert facts.params["target"] == "PLAN"
    assert facts.code["model"] == facts.model_version
    assert {"firnline"} < set(facts.code)
    assert {"python", "scikit-learn", "pandas", "numpy"} <= set(facts.environment)
    assert " as " in facts.owner
    assert (facts.task, facts.target, facts.classes) == ("multiclass", "PLAN", ("$", "$$$", "it's"))
    assert facts.features == FEATURES
    assert version.comment.startswith("For the tests. Predicts PLAN from the columns of ")
    assert version_of(world, replace(registered, version="CANDIDATE")).version_name == registered.version


def test_signature_takes_missing_values_in_every_column(world: World, outputs: Any) -> None:
    [probabilities] = [
        function
        for function in version_of(world, outputs["registered"]).show_functions()
        if function["target_method"] == "predict_proba"
    ]
    inputs = probabilities["signature"].inputs
    assert [spec.name for spec in inputs] == list(FEATURES)
    assert [spec._dtype.name for spec in inputs] == ["STRING", "DOUBLE", "DOUBLE", "DOUBLE"]
    assert all(spec._nullable for spec in inputs)


def test_same_key_is_the_same_version(world: World, trained: Trained, outputs: Any) -> None:
    again = register(world, trained, {"name": "plans", "comment": "For the tests"})
    assert again["registered"] == outputs["registered"]
    model = open_registry(world.context("look")).get_model("PLANS")
    assert list(model.show_versions()["name"]).count("V_0123456789AB") == 1


def test_another_key_is_another_version_and_takes_the_alias(world: World, trained: Trained, outputs: Any) -> None:
    other = register(world, trained, {"name": "plans"}, key="f" * 32)["registered"]
    model = open_registry(world.context("look")).get_model("PLANS")
    assert model.version("CANDIDATE").version_name == other.version == "V_FFFFFFFFFFFF"
    again = register(world, trained, {"name": "plans"})["registered"]
    assert model.version("CANDIDATE").version_name == again.version == "V_0123456789AB"


def test_the_version_in_production_is_registered_again_and_stays_there(
    world: World, trained: Trained, outputs: Any
) -> None:
    """A version has one alias: were it CANDIDATE again, the gate would find nobody in production to compare with."""
    registry = open_registry(world.context("look"))
    move_alias(registry, "PLANS", outputs["registered"].version, "PRODUCTION")
    again = register(world, trained, {"name": "plans"})
    model = registry.get_model("PLANS")
    assert model.version("PRODUCTION").version_name == again["registered"].version == outputs["registered"].version
    assert "keeps its alias PRODUCTION" in again["report"].sections[0].body
    model.version("PRODUCTION").unset_alias("PRODUCTION")


def test_a_number_may_be_missing_in_all_rows_that_the_registry_looks_at(world: World, trained: Trained) -> None:
    gaps = world.changed(trained.table, 'UPDATE {} SET "Größe in m" = NULL')
    registered = register(world, replace(trained, table=gaps), {"name": "gaps", "sample_rows": 3})["registered"]
    assert version_of(world, registered).version_name == registered.version


def test_runs_that_move_the_alias_at_the_same_time_do_not_fail(world: World, trained: Trained, outputs: Any) -> None:
    registered = [outputs["registered"], register(world, trained, {"name": "plans"}, key="f" * 32)["registered"]]
    registry = open_registry(world.context("move"))

    def move(version: str) -> None:
        for _ in range(5):
            move_alias(registry, "PLANS", version, "CANDIDATE")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(move, [found.version for found in registered]))
    listed = registry.get_model("PLANS").show_versions()
    assert sum("CANDIDATE" in aliases for aliases in listed["aliases"]) == 1


def test_a_version_made_from_other_data_is_not_taken_for_this_one(world: World, trained: Trained, outputs: Any) -> None:
    other = replace(trained, table=replace(trained.table, rows=1))
    with pytest.raises(DataError, match="has another data_version and feature_version") as caught:
        register(world, other, {"name": "plans"})
    assert "another name" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("left_out", "missing"),
    [("data", "data_version"), ("features", "feature_version"), ("model", "code"), (None, "metrics")],
)
def test_without_mandatory_metadata_nothing_is_registered(
    world: World, trained: Trained, left_out: str | None, missing: str
) -> None:
    from firnline.domain import load_callable
    from tests.snowpark.churn_world import SPECS

    metrics = trained.metrics if left_out else Metrics(values={})
    ports = {"model": trained.model, "metrics": metrics, "data": trained.table, "features": trained.table}
    context = world.context("register", **ports)
    context = replace(context, input_keys={port: key for port, key in context.input_keys.items() if port != left_out})
    spec = SPECS["register.model"]
    with pytest.raises(DataError, match=rf"not registered without {missing}") as caught:
        load_callable(spec.run)(context, spec.params.model_validate({"name": "refused"}), **ports)
    assert "connect `metrics`" in str(caught.value.hint)
    with pytest.raises(ValueError, match="REFUSED"):
        open_registry(context).get_model("REFUSED")


def test_a_version_that_predicts_otherwise_is_refused(world: World, trained: Trained, outputs: Any) -> None:
    other = train(world, trained.table, "PLAN", regularization=1_000.0)
    with pytest.raises(DataError, match=r"predicts otherwise than the model in \d+ of 50 rows"):
        register(world, replace(trained, model=replace(trained.model, path=other.model.path)), {"name": "plans"})


KILLED = """
import os, signal, sys
from pathlib import Path
import firnline_sandbox
from firnline_snowpark.register import model as step
from tests.snowpark.churn_world import World
from tests.snowpark.plans import plans_table, train
from tests.snowpark.test_register_model import register

folder = Path(sys.argv[1])
world = World(firnline_sandbox.session(str(folder / "sandbox")), folder)
trained = train(world, plans_table(world), "SPEND")
if sys.argv[2] == "kill":
    step._complete = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # the registry has it, the record does not
print(register(world, trained, {"alias": None})["registered"])
print(len(step.open_registry(world.context("look")).get_model("TEST_SPEND").show_versions()))
"""


def test_a_run_killed_after_logging_finds_its_version_again(tmp_path: Path) -> None:
    def run(how: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-W", "ignore", "-c", KILLED, str(tmp_path), how],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=120,
        )

    killed = run("kill")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    again = run("live")
    assert again.returncode == 0, again.stderr
    *_, registered, versions = again.stdout.splitlines()
    assert "TEST_SPEND', version='V_0123456789AB'" in registered
    assert versions == "1"


@pytest.mark.parametrize(
    ("pipeline", "target", "name"),
    [("churn", "CHURNED", "CHURN_CHURNED"), ("tabular", "Größe m²", "TABULAR_GR__E_M_"), ("2024", "y", "_2024_Y")],
)
def test_default_names_are_identifiers(pipeline: str, target: str, name: str) -> None:
    assert default_name(pipeline, target) == name
