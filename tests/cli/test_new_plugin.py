from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from firnline.cli.main import run_command
from firnline.cli.new_plugin import write_plugin
from firnline.errors import UsageError
from tests.installing import install


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new plugin's folder, as the command makes it."""
    folder = tmp_path_factory.mktemp("new") / "acme-gates"
    assert run_command(["new-plugin", "acme-gates", "--folder", str(folder)]) == 0
    return folder


def test_its_first_test_is_the_kit_and_passes(plugin: Path, tmp_path: Path) -> None:
    install(plugin, target=tmp_path / "site")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=plugin,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout
    assert "18 passed" in done.stdout


def test_nothing_of_the_template_is_left_unfilled(plugin: Path) -> None:
    files = [path for path in plugin.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert {path.relative_to(plugin).as_posix() for path in files} == {
        ".gitignore",
        "README.md",
        "pyproject.toml",
        "src/acme_gates/__init__.py",
        "src/acme_gates/conf/gate/acme_gates.yaml",
        "src/acme_gates/limit.py",
        "src/acme_gates/plugin.py",
        "tests/test_conformance.py",
    }
    assert [path.name for path in files if "{{" in path.read_text(encoding="utf-8")] == []


def test_its_code_is_as_clean_as_ours(plugin: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "ruff", "check", "--config", str(root / "pyproject.toml"), "--no-cache"]
    # `tests` imports what is installed in its own environment, so its import order cannot be told here.
    done = subprocess.run([*command, "--ignore", "INP,I001", str(plugin)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["Acme", "1st", "a b", "../x", "class", "json", "firnline", "a--b", "x" + ";y"])
def test_names_that_cannot_be_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        write_plugin(name, tmp_path / "folder")
    assert caught.value.hint
    assert not (tmp_path / "folder").exists()


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="exists already"):
        write_plugin("acme", tmp_path)
