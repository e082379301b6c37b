from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from firnline.testing.probe import HEAVY_MODULES


def imported(*command: str, folder: Path) -> set[str]:
    """Run a command of Firnline in a fresh interpreter and return all modules that it imported."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "firnline", *command],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("FIRNLINE_")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return set(re.findall(r"^import time:.*\| +(\S+)$", done.stderr, re.MULTILINE))


@pytest.mark.parametrize("command", ["--help", "--version", "plugins"])
def test_a_command_that_only_tells_imports_no_sdk(command: str, tmp_path: Path) -> None:
    modules = imported(command, folder=tmp_path)
    assert "firnline.cli.main" in modules
    assert sorted(modules.intersection(HEAVY_MODULES)) == []


@pytest.mark.parametrize("verb", ["run", "plan", "runs", "steps", "lineage", "schema", "init", "new-plugin"])
def test_the_help_of_a_verb_imports_no_sdk(verb: str, tmp_path: Path) -> None:
    assert sorted(imported(verb, "--help", folder=tmp_path).intersection(HEAVY_MODULES)) == []
