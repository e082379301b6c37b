"""Every step of the plugin keeps the contract: ports, records, failures that leave nothing, cancellation."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from firnline.domain import Artifact, Metrics, Model, StepContext, Table
from firnline.testing import Case, conformance
from firnline_snowpark.evaluate.evaluation import Evaluation
from firnline_snowpark.evaluate.slices import Slice
from firnline_snowpark.features.encoders import FittedEncoder
from firnline_snowpark.rows import LearningTask
from tests.snowpark.churn_world import World
from tests.snowpark.plans import plans_table, train

GENERATED = {"events": 1_000, "start": "2025-01-01", "end": "2025-04-01"}
FEATURES = {"snapshots": 3, "window_days": [7, 30], "horizon_days": 30}


def _world(context: StepContext) -> World:
    return World(context.session, context.directory)


def business(context: StepContext) -> dict[str, Artifact]:
    """Make four customers and what they did."""
    world = _world(context)
    customers = [(f"'C{n}', 'basic', 'monthly', {10 + n}.5, '2025-01-0{n}', ") for n in (1, 2, 3, 4)]
    gone = ["NULL", "'2025-06-20'", "NULL", "'2025-07-20'"]
    days = [f"DATEADD('day', {day}, '2025-02-01'::TIMESTAMP_NTZ)" for day in range(0, 180, 6)]
    return {
        "customers": world.table(
            "CUSTOMER_ID TEXT, PLAN TEXT, CONTRACT TEXT, MONTHLY_FEE FLOAT, SIGNED_UP_ON DATE, CANCELLED_ON DATE",
            *(row + left for row, left in zip(customers, gone, strict=True)),
        ),
        "events": world.table(
            "EVENT_ID INT, CUSTOMER_ID TEXT, OCCURRED_AT TIMESTAMP_NTZ, SESSIONS INT, MINUTES FLOAT, ERRORS INT, "
            "DEVICE TEXT, TOOLS INT",
            *(f"{place}, 'C{1 + place % 4}', {at}, 2, 9.5, 0, 'ios', 1" for place, at in enumerate(days)),
        ),
        "tickets": world.table(
            "TICKET_ID INT, CUSTOMER_ID TEXT, OPENED_AT TIMESTAMP_NTZ, RESOLVED_AT TIMESTAMP_NTZ, PRIORITY TEXT, "
            "SATISFACTION INT",
            f"1, 'C1', {days[3]}, {days[4]}, 'high', 3",
            f"2, 'C2', {days[9]}, NULL, 'low', NULL",
        ),
    }


def one_table(context: StepContext) -> dict[str, Artifact]:
    """Make a small table."""
    return {"table": plans_table(_world(context))}


def snapshots(context: StepContext) -> dict[str, Artifact]:
    """Make a table with a date in each row."""
    world = _world(context)
    days = "DATEADD('day', MOD(ID, 12) * 30, '2025-01-01'::DATE)"
    dated = world.changed(plans_table(world), "ALTER TABLE {} ADD COLUMN DAY DATE", f"UPDATE {{}} SET DAY = {days}")
    return {"table": dated}


def rows_to_learn(context: StepContext) -> dict[str, Artifact]:
    """Make training and validation rows."""
    table = plans_table(_world(context))
    return {"train": table, "valid": table}


def trained(context: StepContext) -> Mapping[str, Any]:
    """Fit a model."""
    world = _world(context)
    found = train(world, plans_table(world), "PLAN")
    return {"table": found.table, "model": found.model, "metrics": found.metrics}


def to_measure(context: StepContext) -> dict[str, Artifact]:
    """Hand a model to the evaluation."""
    found = trained(context)
    return {"model": found["model"], "test": found["table"], "train": found["table"]}


def to_register(context: StepContext) -> dict[str, Artifact]:
    """Hand a model to the registry."""
    found = trained(context)
    return {
        "model": found["model"],
        "metrics": found["metrics"],
        "data": found["table"],
        "features": found["table"],
    }


def to_score(context: StepContext) -> dict[str, Artifact]:
    """Register a model."""
    given = to_register(context)
    registered = _world(context).run("register.model", {"sample_rows": 5}, **given)["registered"]
    return {"model": registered, "table": given["data"]}


def to_promote(context: StepContext) -> dict[str, Artifact]:
    """Register a version, which is the first of its model."""
    given = to_register(context)
    registered = _world(context).run("register.model", {"sample_rows": 5}, **given)["registered"]
    return {"registered": registered, "test": given["data"]}


def to_sum_up(context: StepContext) -> dict[str, Artifact]:
    """Hand a model and its evaluation to the summary, which uses no platform."""
    task = LearningTask(features=("AGE",), target="PLAN", task="binary", classes=("no", "yes"))
    found = {"roc_auc": 0.8, "log_loss": 0.3}
    part = Slice(column="AGE", value="1 to 9", rows=30, actual=0.1, predicted=0.2, measures={"roc_auc": 0.6})
    evaluation = Evaluation(
        task=task,
        rows=100,
        unknown=0,
        primary="roc_auc",
        metrics=found,
        baseline={"roc_auc": 0.5, "log_loss": 0.4},
        intervals={"roc_auc": (0.7, 0.9)},
        importances=[("AGE", 0.2, 0.01)],
        slices=[part],
        threshold=0.5,
        share=0.2,
    )
    (context.directory / "model.pkl").write_bytes(b"")
    return {
        "model": Model(
            path=context.directory / "model.pkl",
            framework="sklearn",
            task=task.task,
            features=task.features,
            target=task.target,
            classes=task.classes,
        ),
        "metrics": Metrics(values=found),
        "details": context.save(evaluation, "evaluation.pkl"),
    }


def csv_file(context: StepContext) -> dict[str, Artifact]:
    """Write a file into the project."""
    lines = [f"{number},{'x' if number % 3 else 'y'},{number / 7:.3f}" for number in range(60)]
    (context.project / "rows.csv").write_text("\n".join(["id,kind,size", *lines]), encoding="utf-8")
    return {}


FUNCTIONS = """
def build(table):
    return table.group_by("PLAN").count()

def double(age):
    return age * 2
"""


def with_functions(context: StepContext) -> dict[str, Artifact]:
    """Write a module of functions into the project, and make a small table."""
    (context.project / "own_functions.py").write_text(FUNCTIONS, encoding="utf-8")
    return one_table(context)


def listed(make: Callable[[StepContext], dict[str, Artifact]]) -> Callable[[StepContext], dict[str, list[Artifact]]]:
    """Hand the table to a port that takes several."""
    return lambda context: {"tables": [make(context)["table"]]}


def existing(context: StepContext) -> dict[str, Artifact]:
    """Make a table that the pipeline knows by name only."""
    context.session.sql("CREATE TABLE EXISTING AS SELECT 1 AS ID, 'a' AS KIND").collect()
    return {}


def kept_table(context: StepContext) -> dict[str, Artifact]:
    """Make a table under a name of its own, as somebody else's that lives on."""
    made = one_table(context)["table"]
    context.session.sql(f"CREATE TABLE IF NOT EXISTS ARRIVING AS SELECT * FROM {made.name}").collect()
    return {"table": Table(name=f"{context.schema}.ARRIVING", columns=made.columns)}


def nested(context: StepContext) -> dict[str, Artifact]:
    """Make a table with a VARIANT column."""
    table = _world(context).table("ID INT, V VARIANT", """1, PARSE_JSON('{"n": 1, "items": [2, 3]}')""")
    return {"table": table}


FLAT = {
    "arrays": {"item": {"column": "V", "path": "items"}},
    "columns": {"N": {"column": "V", "path": "n", "type": "integer"}, "ITEM": {"column": "item", "type": "text"}},
}
ENCODERS = {
    "kinds": {"use": "OneHotEncoder", "columns": ["select"]},
    "ages": {"use": "MaxAbsScaler", "columns": ["AGE"]},
}


def three_sets(context: StepContext) -> dict[str, Artifact]:
    """Hand one table to the three sets."""
    return dict.fromkeys(("train", "valid", "test"), plans_table(_world(context)))


def to_attach(context: StepContext) -> dict[str, Artifact]:
    """Fit a model on two encoded columns, without a platform."""
    outputs = ("KIND_a", "KIND_b")
    kinds = FittedEncoder(
        name="kinds", use="OneHotEncoder", columns=("KIND",), outputs=(outputs,), categories=(("a", "b"),)
    )
    rows = pd.DataFrame({"KIND_a": [0.0, 1.0, 0.0, 1.0], "KIND_b": [1.0, 0.0, 1.0, 0.0]})
    path = context.directory / "model.pkl"
    path.write_bytes(pickle.dumps(LogisticRegression().fit(rows, [0, 1, 0, 1])))
    model = Model(path=path, framework="sklearn", task="binary", features=outputs, target="Y", classes=("n", "y"))
    return {"model": model, "encoder": context.save((kinds,), "encoder.pkl")}


def dbt_has_tested(context: StepContext) -> dict[str, Artifact]:
    """Write the results of dbt into the project."""
    results = [{"unique_id": "test.shop.unique_id.1", "status": "pass", "failures": 0, "message": None}]
    metadata = {"generated_at": "2026-01-05T06:00:02Z", "dbt_version": "1.9.4"}
    content = json.dumps({"metadata": metadata, "results": results})
    (context.project / "run_results.json").write_text(content, encoding="utf-8")
    return {"table": Table(name="DB.S.T", rows=1, columns=("A",))}


QUERY = {"query": "SELECT PLAN, COUNT(*) AS N FROM {{ table }} GROUP BY PLAN"}
DOUBLED = {"DOUBLED": {"function": "own_functions:double", "columns": ["AGE"], "type": "number"}}
EXPECTED = {"some": {"kind": "row_count", "low": 1}}
SOURCE = {"target": "PLAN", "identifiers": ["ID"], "set_aside": ["SPEND"]}

test_snowpark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")(
    conformance(
        "snowpark",
        cases={
            "ingest.generated": Case(params=GENERATED),
            "ingest.files": Case(params={"path": "rows.csv"}, inputs=csv_file),
            "prepare.clean": Case(params={"customers": {"keys": ["CUSTOMER_ID"], "lower": ["PLAN"]}}, inputs=business),
            "prepare.clean_table": Case(params={"rules": {"keys": ["ID"]}}, inputs=one_table),
            "prepare.tabular": Case(params={"target": "PLAN"}, inputs=one_table),
            "check.expect": Case(params={"customers": EXPECTED}, inputs=business),
            "check.expect_table": Case(params={"expect": EXPECTED}, inputs=one_table),
            "features.churn": Case(params=FEATURES, inputs=business),
            "check.dbt": Case(params={"results": "run_results.json"}, inputs=dbt_has_tested),
            "features.attach": Case(inputs=to_attach),
            "features.encode": Case(params={"encoders": ENCODERS}, inputs=three_sets),
            "features.select": Case(params={"target": "PLAN", "identifiers": ["ID"], "keep": 2}, inputs=one_table),
            "features.sql": Case(params=QUERY, inputs=listed(one_table)),
            "features.dynamic": Case(params={**QUERY, "name": "live"}, inputs=listed(kept_table)),
            "features.snowpark": Case(params={"function": "own_functions:build"}, inputs=listed(with_functions)),
            "features.udf": Case(params={"apply": DOUBLED}, inputs=with_functions),
            "ingest.stage": Case(params={"location": "rows.csv", "format": "csv"}, inputs=csv_file),
            "ingest.table": Case(params={"table": "EXISTING", "filter": "ID > 0"}, inputs=existing),
            "prepare.flatten": Case(params=FLAT, inputs=nested),
            "prepare.sql": Case(params=QUERY, inputs=listed(one_table)),
            "split.time": Case(params={"date_column": "DAY", "gap_days": 1}, inputs=snapshots),
            "split.random": Case(params={"seed": 3}, inputs=one_table),
            "train.xgboost": Case(params={**SOURCE, "rounds": 5}, inputs=rows_to_learn),
            "train.local": Case(params={**SOURCE, "rounds": 5}, inputs=rows_to_learn),
            "train.snowpark": Case(
                params={**SOURCE, "estimator": "decision_tree", "settings": {"max_depth": 3}}, inputs=rows_to_learn
            ),
            "train.logistic": Case(params=SOURCE, inputs=rows_to_learn),
            "evaluate.holdout": Case(params={"resamples": 10}, inputs=to_measure),
            "register.model": Case(params={"sample_rows": 5}, inputs=to_register),
            "promote.champion": Case(params={"resamples": 100}, inputs=to_promote),
            "score.model": Case(params={"identifiers": ["ID"]}, inputs=to_score),
            "report.summary": Case(inputs=to_sum_up),
        },
    )
)
