"""Rendering loads what it needs and no more."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCREENS = ("graph", "leaderboard", "plan", "problems", "progress", "runs", "steps", "summary")


def loaded_by(statement: str) -> set[str]:
    """Return the names of the modules that are loaded after a statement in a fresh process."""
    code = f"{statement}\nimport sys\nprint(' '.join(sys.modules))"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_the_package_itself_loads_nothing() -> None:
    assert not {"rich", "jinja2", "pydantic"} & loaded_by("import firnline.cli.render")


@pytest.mark.parametrize("screen", SCREENS)
def test_screens_load_no_page_and_no_data_library(screen: str) -> None:
    assert not {"jinja2", "pandas", "numpy", "yaml", "hydra"} & loaded_by(f"import firnline.cli.render.{screen}")
