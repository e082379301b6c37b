from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.examples import Block, blocks, commands, prints

ROOT = Path(__file__).resolve().parents[2]
PAGES = [page for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))) if blocks(page)]
LIMIT_S = 240


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_examples_of_a_page_run(page: Path, tmp_path: Path) -> None:
    for block in blocks(page):
        if fixture := block.options.get("fixture"):
            shutil.copytree(Path(__file__).parent / "fixtures" / fixture, tmp_path, dirs_exist_ok=True)
        if name := block.options.get("file"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(block.body, encoding="utf-8")
        if "run" in block.options:
            where = f"{page.relative_to(ROOT)}:{block.line}"
            (run_python if block.language == "python" else run_console)(block, tmp_path, where)


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which `firnline` and `python` are those under test, without settings of this machine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FIRNLINE_")}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return kept | {"PATH": path, "COLUMNS": "100", "NO_COLOR": "1", "PYTHONPATH": str(folder), "HOME": str(folder)}


def run_python(block: Block, folder: Path, where: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", block.body],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    assert done.returncode == int(block.options.get("exit", 0)), f"{where}\n{done.stdout}{done.stderr}"


def run_console(block: Block, folder: Path, where: str) -> None:
    asked = commands(block)
    for command in asked:
        done = subprocess.run(
            ["bash", "-c", command.text],
            cwd=folder,
            env=environment(folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT_S,
        )
        expected = int(block.options.get("exit", 0)) if command is asked[-1] else 0
        assert done.returncode == expected, f"{where}: $ {command.text}\n{done.stdout}"
        if command.output:
            assert prints(command.output, done.stdout), f"{where}: $ {command.text}\n{done.stdout}"
