"""A project of toy steps that are found through real metadata, and a way to run command lines in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from firnline.cli.main import run_command

ROOT = Path(__file__).parents[2]
STAGES = {
    "start": {"uses": "toy.source"},
    "left": {"uses": "toy.add", "inputs": {"left": "start"}, "params": {"plus": 10}},
    "end": {"uses": "toy.total", "inputs": {"numbers": ["left"]}},
}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the metadata of an installed distribution that offers the toy steps."""
    folder = tmp_path / "site" / "firnline_toy-1.2.3.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: firnline-toy\nVersion: 1.2.3\n")
    (folder / "entry_points.txt").write_text("[firnline.plugins]\ntoy = tests.core.toy\n")
    monkeypatch.syspath_prepend(str(folder.parent))
    monkeypatch.setenv("PYTHONPATH", f"{folder.parent}:{ROOT}")
    monkeypatch.setenv("FIRNLINE_PLUGINS_ALLOW", "toy")
    monkeypatch.setenv("COLUMNS", "160")
    return folder.parent


@pytest.fixture
def project(tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of three toy stages, in which the test stands."""
    folder = tmp_path / "project"
    for group, option, node in (
        ("left", "ten", STAGES["left"]),
        ("left", "twenty", {**STAGES["left"], "params": {"plus": 20}}),
    ):
        (folder / "conf" / group).mkdir(parents=True, exist_ok=True)
        (folder / "conf" / group / f"{option}.yaml").write_text(yaml.safe_dump(node))
    config = {
        "defaults": ["firnline", {"left": "ten"}, "_self_"],
        "platform": {"name": "toy"},
        "sweep": {"metric": "end.total"},
        "start": STAGES["start"],
        "end": STAGES["end"],
    }
    (folder / "conf" / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    monkeypatch.chdir(folder)
    return folder


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def firnline(project: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process; returns exit code, standard output and standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run_command(list(arguments))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run
