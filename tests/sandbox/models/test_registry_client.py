"""The real `snowflake.ml.registry.Registry` logs, finds, changes and runs models in the sandbox."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import firnline_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from snowflake.ml.model import ModelVersion
    from snowflake.ml.registry import Registry
    from snowflake.snowpark import Session

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")

ROWS = 120


def table(rows: int = ROWS) -> pd.DataFrame:
    """Draw a table with numbers and texts; the label follows from them."""
    random = np.random.default_rng(7)
    frame = pd.DataFrame({"TENURE": random.normal(size=rows), "SPEND": random.normal(size=rows)})
    frame["PLAN"] = random.choice(["basic", "plus", "pro"], size=rows)
    return frame


def label(frame: pd.DataFrame) -> pd.Series:
    """Give the binary label."""
    return ((frame["TENURE"] + frame["SPEND"] + (frame["PLAN"] == "pro")) > 0).astype(int)


def pipeline() -> Any:
    """Fit a scikit-learn pipeline on the table."""
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    encode = make_column_transformer((OneHotEncoder(), ["PLAN"]), remainder="passthrough")
    return make_pipeline(encode, LogisticRegression()).fit(table(), label(table()))


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    from snowflake.ml._internal.platform_capabilities import PlatformCapabilities

    PlatformCapabilities._instance = None
    opened = firnline_sandbox.session()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def registry(session: Session) -> Registry:
    from snowflake.ml.registry import Registry

    return Registry(session)


@pytest.fixture(scope="module")
def fitted() -> Any:
    return pipeline()


@pytest.fixture(scope="module")
def logged(registry: Registry, fitted: Any) -> ModelVersion:
    return registry.log_model(
        fitted,
        model_name="CHURN",
        version_name="V1",
        sample_input_data=table().head(20),
        comment="the first",
        metrics={"auc": 0.75, "confusion": [[1, 2], [3, 4]]},
    )


def test_log_model(registry: Registry, logged: ModelVersion) -> None:
    assert (logged.model_name, logged.version_name, logged.comment) == ("CHURN", "V1", "the first")
    assert logged.fully_qualified_model_name == "FIRNLINE.PUBLIC.CHURN"
    assert logged.show_metrics() == {"auc": 0.75, "confusion": [[1, 2], [3, 4]]}
    assert [model.name for model in registry.models()] == ["CHURN"]
    shown = registry.show_models()
    assert shown["name"].tolist() == ["CHURN"]
    assert json.loads(shown["versions"][0]) == ["V1"]
    assert json.loads(shown["aliases"][0]) == {"DEFAULT": "V1", "FIRST": "V1", "LAST": "V1"}
    assert logged.get_model_task().value == "TABULAR_BINARY_CLASSIFICATION"
    assert {function["name"] for function in logged.show_functions()} == {
        "PREDICT",
        "PREDICT_PROBA",
        "PREDICT_LOG_PROBA",
        "DECISION_FUNCTION",
    }


def test_run_on_pandas(logged: ModelVersion, fitted: Any) -> None:
    frame = table().head(30)
    scored = logged.run(frame, function_name="predict_proba")
    assert scored["output_feature_1"].to_numpy() == pytest.approx(fitted.predict_proba(frame)[:, 1])
    assert logged.run(frame, function_name="predict")["output_feature_0"].tolist() == fitted.predict(frame).tolist()


def test_run_on_snowpark(session: Session, logged: ModelVersion, fitted: Any) -> None:
    session.create_dataframe(table()).write.save_as_table("customers", mode="overwrite")
    scored = logged.run(session.table("customers"), function_name="predict_proba")
    assert scored.columns == ["TENURE", "SPEND", "PLAN", '"output_feature_0"', '"output_feature_1"']
    scored.write.save_as_table("scored", mode="overwrite")
    kept = session.table("scored").to_pandas()
    expected = fitted.predict_proba(kept[["TENURE", "SPEND", "PLAN"]])[:, 1]
    assert kept["output_feature_1"].to_numpy() == pytest.approx(expected)


CALLS = {
    "version": "MODEL(PUBLIC.CHURN, V1)!PREDICT_PROBA(TENURE, SPEND, PLAN)['output_feature_1'] P FROM customers",
    "default": "churn!predict_proba(tenure, spend, plan):output_feature_1::FLOAT AS P FROM customers",
    "alias": "mv!predict_proba(tenure, spend, plan):output_feature_1 AS P FROM customers",
    "beside": "mv!PREDICT_PROBA(TENURE, SPEND, PLAN)['output_feature_1']::FLOAT AS P FROM c",
}
HEADS = {
    "alias": "WITH mv AS MODEL churn VERSION v1 ",
    "beside": "WITH mv AS MODEL public.churn VERSION last, c AS (SELECT * FROM customers) ",
}


@pytest.mark.parametrize("form", CALLS)
def test_direct_sql(session: Session, logged: ModelVersion, fitted: Any, form: str) -> None:
    sql = f"{HEADS.get(form, '')}SELECT {CALLS[form]}"
    session.create_dataframe(table()).write.save_as_table("customers", mode="overwrite")
    scored = sorted(float(row["P"]) for row in session.sql(sql).collect())
    assert scored == pytest.approx(sorted(fitted.predict_proba(table())[:, 1]))


def test_load_gives_the_model_back(logged: ModelVersion, fitted: Any) -> None:
    with pytest.warns(RuntimeWarning):  # the client tells to have the same environment, and that code will run
        loaded = logged.load()
    assert loaded.predict(table()).tolist() == fitted.predict(table()).tolist()


def test_export(logged: ModelVersion, tmp_path: Path) -> None:
    from snowflake.ml.model import ExportMode

    for name in ("model", "full"):
        (tmp_path / name).mkdir()
    logged.export(str(tmp_path / "model"))
    assert (tmp_path / "model" / "model" / "model.yaml").is_file()
    logged.export(str(tmp_path / "full"), export_mode=ExportMode.FULL)
    assert (tmp_path / "full" / "MANIFEST.yml").is_file()
    assert (tmp_path / "full" / "functions" / "predict.py").is_file()


def test_metrics_and_comments(registry: Registry, logged: ModelVersion) -> None:
    logged.set_metric("f1", 0.5)
    assert logged.get_metric("f1") == 0.5
    logged.delete_metric("f1")
    assert "f1" not in logged.show_metrics()
    model = registry.get_model("CHURN")
    model.comment = "it's $ churn"
    assert registry.get_model("churn").comment == "it's $ churn"
    logged.comment = "changed"
    assert model.version("V1").comment == "changed"
    logged.comment = "the first"


def test_a_name_that_is_taken_is_refused_by_the_client(registry: Registry, fitted: Any, logged: ModelVersion) -> None:
    with pytest.raises(ValueError, match=r"V1.*already existed|already exist"):
        registry.log_model(fitted, model_name="CHURN", version_name="V1", sample_input_data=table().head(5))


def test_versions_aliases_default_and_deletion(registry: Registry, logged: ModelVersion) -> None:
    registry.log_model(logged, model_name="VERSIONED", version_name="A")
    registry.log_model(logged, model_name="VERSIONED", version_name="B")
    model = registry.get_model("VERSIONED")
    assert [version.version_name for version in model.versions()] == ["A", "B"]
    assert model.default.version_name == "A"
    model.default = "B"
    assert model.default.version_name == "B"
    assert (model.first().version_name, model.last().version_name) == ("A", "B")
    model.version("A").set_alias("PRODUCTION")
    assert model.version("PRODUCTION").version_name == "A"
    assert json.loads(model.show_versions()["aliases"][0]) == ["PRODUCTION", "FIRST"]
    model.version("A").unset_alias("PRODUCTION")
    with pytest.raises(ValueError, match="PRODUCTION"):
        model.version("PRODUCTION")
    model.delete_version("A")
    assert model.show_versions()["name"].tolist() == ["B"]
    model.rename("RENAMED")
    assert registry.get_model("RENAMED").last().version_name == "B"
    registry.delete_model("RENAMED")
    with pytest.raises(ValueError, match="RENAMED"):
        registry.get_model("RENAMED")


def test_tags(session: Session, registry: Registry, logged: ModelVersion) -> None:
    session.sql("CREATE TAG live_version").collect()
    model = registry.get_model("CHURN")
    model.set_tag("live_version", "V1")
    assert model.get_tag("live_version") == "V1"
    assert model.show_tags() == {"FIRNLINE.PUBLIC.LIVE_VERSION": "V1"}
    model.unset_tag("live_version")
    assert model.get_tag("live_version") is None
    assert model.show_tags() == {}


def test_lineage(session: Session, registry: Registry, logged: ModelVersion) -> None:
    session.create_dataframe(table()).write.save_as_table("training", mode="overwrite")
    sample = session.table("training").limit(10)
    made = registry.log_model(pipeline(), model_name="TRACED", sample_input_data=sample)
    assert made.version_name.count("_") >= 1  # the client makes names such as JOLLY_NEWT_2
    (source,) = made.lineage("upstream")
    assert (source._lineage_node_name, source._lineage_node_domain) == ("FIRNLINE.PUBLIC.TRAINING", "table")
    traced = session.lineage.trace("FIRNLINE.PUBLIC.TRAINING", "table", direction="downstream").collect()
    assert json.loads(traced[0]["TARGET_OBJECT"])["name"] == "FIRNLINE.PUBLIC.TRACED"
