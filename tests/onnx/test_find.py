"""Which folder ``firnline serve`` takes for what is said."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from firnline.domain import Files, StageFinished, StageReused, artifact_to_json, event_to_json
from firnline.domain.event import RunStarted
from firnline.errors import UsageError
from firnline_onnx.server.find import find_export
from firnline_onnx.signature import SIGNATURE_FILE, Signature


def export(folder: Path, version: str) -> Path:
    """Write a signature; finding looks at nothing else."""
    signature = Signature(
        name="DB.PUBLIC.LEAVERS",
        version=version,
        task="regression",
        target="Y",
        classes=(),
        inputs=(),
        missing_text="",
    )
    folder.mkdir(parents=True)
    (folder / SIGNATURE_FILE).write_text(json.dumps(signature.to_json()))
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Give records of three runs: two exports, and a run that is writing its first line of an event."""
    root = tmp_path / ".firnline"
    for number, version in ((1, "V1"), (2, "V2")):
        path = export(root / "artifacts" / f"a{number}" / "onnx", version)
        outputs = {"files": artifact_to_json(Files(path=path), root)}
        kind = StageFinished(at=1.0, stage="export", key="k", seconds=1.0, rows=None, outputs=outputs, metrics={})
        write(root, f"2026010{number}-000000-aaaa", [kind], number)
    reused = StageReused(at=1.0, stage="export", key="k", from_run="20260102-000000-aaaa", outputs=outputs, metrics={})
    write(root, "20260103-000000-bbbb", [reused], 3, more='{"event": "Stage')
    return root


def write(root: Path, run_id: str, events: list[StageFinished | StageReused], at: float, more: str = "") -> None:
    """Write a run's events as the recorder does."""
    started = RunStarted(at=at, run_id=run_id, pipeline="p", plan_hash="h", pid=1, platform="sandbox")
    folder = root / "runs" / run_id
    folder.mkdir(parents=True)
    lines = [json.dumps(event_to_json(event)) + "\n" for event in (started, *events)]
    (folder / "events.jsonl").write_text("".join(lines) + more)


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("last/export", "V2"),
        ("20260101-000000-aaaa/export", "V1"),
        ("20260101/export", "V1"),
        ("20260103/export", "V2"),
        ("LEAVERS", "V2"),
        ("LEAVERS/V1", "V1"),
        ("DB.PUBLIC.LEAVERS", "V2"),
        ("DB.PUBLIC.LEAVERS/V1", "V1"),
        ("given", "V9"),
        ("given/onnx", "V9"),
    ],
)
def test_found(store: Path, tmp_path: Path, name: str, version: str) -> None:
    export(tmp_path / "given" / "onnx", "V9")
    found = find_export(name, store, tmp_path)
    assert json.loads((found / SIGNATURE_FILE).read_text())["version"] == version


@pytest.mark.parametrize("name", ["last/train", "20260104/export", "leavers", "LEAVERS/V3", ""])
def test_not_found(store: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="no exported model is called") as refused:
        find_export(name, store, tmp_path)
    assert "20260103-000000-bbbb/export, 20260102-000000-aaaa/export" in str(refused.value.hint)


def test_serving_imports_neither_the_exporter_nor_a_data_frame() -> None:
    program = "import firnline_onnx.serving, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    loaded = set(done.stdout.split())
    assert "onnxruntime" in loaded
    assert loaded.isdisjoint({"onnx", "skl2onnx", "pandas", "sklearn", "torch", "snowflake.snowpark"})
