"""A model whose requirements this environment does not meet is found out before it runs."""

from __future__ import annotations

import importlib.metadata
import sys
from typing import TYPE_CHECKING

import pytest

from firnline_sandbox.models.manifest import Runtime
from firnline_sandbox.models.requirements import unmet_requirements

if TYPE_CHECKING:
    from pathlib import Path

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
PYARROW = importlib.metadata.version("pyarrow")


def unmet(folder: Path, lines: str, python: str = HERE) -> tuple[str, ...]:
    (folder / "requirements.txt").write_text(lines)
    return unmet_requirements(folder, Runtime(python=python, pip_file="requirements.txt", conda_file=None))


def test_what_is_installed_is_met(tmp_path: Path) -> None:
    lines = f"# a comment\n--index-url https://example.org\npyarrow=={PYARROW}\nPyYAML>=5 # why\n\nnumpy<100,>=1\n"
    assert unmet(tmp_path, lines) == ()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("no-such-package==1.0", "no-such-package==1.0 (not installed)"),
        ("pyarrow<1", f"pyarrow<1 (installed: {PYARROW})"),
        ("what is this", "what is this (not understood)"),
    ],
)
def test_what_is_not_met_is_named(tmp_path: Path, line: str, problem: str) -> None:
    assert unmet(tmp_path, line) == (problem,)


def test_a_marker_that_does_not_hold_needs_nothing(tmp_path: Path) -> None:
    assert unmet(tmp_path, "no-such-package; python_version < '3'") == ()


def test_another_python_is_a_problem(tmp_path: Path) -> None:
    assert unmet(tmp_path, "", python="2.7") == (f"Python 2.7 (this is Python {HERE})",)


def test_conda_files(tmp_path: Path) -> None:
    (tmp_path / "conda.yml").write_text(
        f"dependencies:\n- python=={HERE}.*\n- conda-forge::pyarrow=={PYARROW}\n- numpy=99.1\n- pip:\n  - absent-one\n"
    )
    runtime = Runtime(python=HERE, pip_file=None, conda_file="conda.yml")
    installed = importlib.metadata.version("numpy")
    assert unmet_requirements(tmp_path, runtime) == (
        f"numpy==99.1.* (installed: {installed})",
        "absent-one (not installed)",
    )
