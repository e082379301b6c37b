"""check.dbt: dbt's results as a gate, on files as dbt 1.x writes them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from firnline.domain import SourceContext, Table, load_callable
from firnline.errors import DataError, StoppedByGateError, UsageError
from firnline.testing import step_context
from firnline_snowpark.checks.dbt_params import DbtParams, dbt_state
from firnline_snowpark.feature_steps import STEPS

TABLE = Table(name="DB.S.ORDERS", rows=3)
SPEC = next(step for step in STEPS if step.id == "check.dbt")


def entry(kind: str, name: str, status: str, failures: int | None = None, message: str | None = None) -> dict[str, Any]:
    suffix = ".5a1f2e3d4c" if kind == "test" else ""
    return {
        "status": status,
        "timing": [
            {"name": "execute", "started_at": "2026-01-05T06:00:00.0Z", "completed_at": "2026-01-05T06:00:01.0Z"}
        ],
        "thread_id": "Thread-1",
        "execution_time": 0.52,
        "adapter_response": {"_message": "SUCCESS 1", "code": "SUCCESS", "rows_affected": 1},
        "message": message,
        "failures": failures,
        "unique_id": f"{kind}.shop.{name}{suffix}",
        "compiled": True,
        "relation_name": None,
    }


def write_results(folder: Path, *entries: dict[str, Any], **metadata: str) -> Path:
    (folder / "target").mkdir(exist_ok=True)
    known = {
        "dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json",
        "dbt_version": "1.9.4",
        "generated_at": "2026-01-05T06:00:02.123456Z",
    }
    content = {"metadata": known | metadata, "results": list(entries), "elapsed_time": 2.5, "args": {"which": "build"}}
    file = folder / "target" / "run_results.json"
    file.write_text(json.dumps(content))
    return file


def write_manifest(folder: Path) -> None:
    nodes = {
        "model.shop.orders": {"name": "orders", "resource_type": "model"},
        "test.shop.not_null_orders_id.5a1f2e3d4c": {
            "name": "not_null_orders_id",
            "resource_type": "test",
            "column_name": "id",
            "attached_node": "model.shop.orders",
            "depends_on": {"nodes": ["model.shop.orders"]},
        },
        "test.shop.no_orphans.5a1f2e3d4c": {
            "name": "no_orphans",
            "resource_type": "test",
            "column_name": None,
            "depends_on": {"nodes": ["model.shop.customers", "model.shop.orders"]},
        },
    }
    (folder / "target" / "manifest.json").write_text(json.dumps({"nodes": nodes}))


def check(folder: Path, **params: Any) -> Any:
    context = step_context(folder, stage="check")
    return load_callable(SPEC.run)(context, DbtParams.model_validate(params), TABLE)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


def test_a_table_passes_when_dbts_tests_did(tmp_path: Path, project: Path) -> None:
    write_results(
        project,
        entry("model", "orders", "success"),
        entry("test", "not_null_orders_id", "pass", 0),
        entry("test", "no_orphans", "warn", 4, "Got 4 results, configured to warn if != 0"),
    )
    write_manifest(project)
    found = check(tmp_path, manifest="target/manifest.json")
    assert found["table"] is TABLE
    assert found["metrics"].values == {"tests": 2, "passed": 1, "warned": 1, "failed": 0, "skipped": 0}
    assert found["report"].sections[1].rows == (
        ("no_orphans", "customers", "warned", 4, "Got 4 results, configured to warn if != 0"),
        ("not_null_orders_id", "orders.id", "passed", 0, ""),
    )
    assert "dbt 1.9.4" in found["report"].sections[0].body
    with pytest.raises(StoppedByGateError, match=r"1 of 2 results.*\n  no_orphans warned, 4 rows: Got 4"):
        check(tmp_path, stop_on="warning")


def test_what_failed_is_listed(tmp_path: Path, project: Path) -> None:
    write_results(
        project,
        entry("model", "returns", "error", None, "Database Error in model returns\n  invalid identifier 'X'"),
        entry("test", "not_null_orders_id", "fail", 17, "Got 17 results, configured to fail if != 0"),
        entry("test", "unique_orders_id", "pass", 0),
        entry("test", "unique_returns_id", "skipped"),
    )
    write_manifest(project)
    with pytest.raises(StoppedByGateError) as caught:
        check(tmp_path, manifest="target/manifest.json")
    told = str(caught.value)
    assert "3 of 4 results of dbt" in told
    assert "not_null_orders_id (orders.id) failed, 17 rows: Got 17 results" in told
    assert "returns failed: Database Error in model returns invalid identifier 'X'" in told
    assert "unique_returns_id skipped" in told
    assert "unique_orders_id" not in told
    assert check(tmp_path, stop_on="never")["metrics"].values["failed"] == 2
    with pytest.raises(StoppedByGateError, match="1 of 1 results"):
        check(tmp_path, manifest="target/manifest.json", models=["Orders"])
    with pytest.raises(StoppedByGateError, match="2 of 4 results"):
        check(tmp_path, skipped="allow")


def test_many_failures_are_cut_short(tmp_path: Path, project: Path) -> None:
    write_results(project, *(entry("test", f"t{place:02}", "fail", 1) for place in range(14)))
    with pytest.raises(StoppedByGateError, match=r"t09 failed, 1 rows\n  … and 4 more"):
        check(tmp_path)


def test_another_run_of_dbt_is_another_state(project: Path) -> None:
    context = SourceContext(project=project, open_platform=lambda: pytest.fail("no platform is needed"))
    with pytest.raises(UsageError, match="there is no file"):
        dbt_state(DbtParams(), context)
    write_results(project, entry("test", "a", "pass", 0))
    first = dbt_state(DbtParams(), context)
    assert dbt_state(DbtParams(), context) == first
    write_results(project, entry("test", "a", "pass", 0), generated_at="2026-01-06T06:00:02Z")
    assert dbt_state(DbtParams(), context) != first


def test_old_results_are_refused(tmp_path: Path, project: Path) -> None:
    write_results(project, entry("test", "a", "pass", 0))
    with pytest.raises(DataError, match="are of 2026-01-05 06:00 UTC"):
        check(tmp_path, max_age_hours=1)
    now = dt.datetime.now(dt.UTC).isoformat()
    write_results(project, entry("test", "a", "pass", 0), generated_at=now)
    assert check(tmp_path, max_age_hours=1)["metrics"].values["passed"] == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is no JSON"),
        ("[]", "holds a JSON list"),
        ("{}", "is not what dbt writes: KeyError 'metadata'"),
        ('{"metadata": {"generated_at": "2026-01-01"}, "results": []}', "hold no test"),
        ('{"metadata": {"generated_at": "soon"}, "results": []}', "is not what dbt writes"),
        (
            '{"metadata": {"generated_at": "2026-01-01"}, "results": [{"unique_id": "test.a.b.c", "status": "odd"}]}',
            "status 'odd' of test.a.b.c is not known",
        ),
    ],
)
def test_what_dbt_does_not_write_is_refused(tmp_path: Path, project: Path, text: str, says: str) -> None:
    write_results(project).write_text(text)
    with pytest.raises(DataError, match=says):
        check(tmp_path)


def test_models_need_the_manifest(tmp_path: Path, project: Path) -> None:
    write_results(project, entry("test", "a", "pass", 0))
    with pytest.raises(DataError, match="with the manifest only"):
        check(tmp_path, models=["orders"])
    write_manifest(project)
    with pytest.raises(DataError, match="no test of returns"):
        check(tmp_path, models=["returns"], manifest="target/manifest.json")
