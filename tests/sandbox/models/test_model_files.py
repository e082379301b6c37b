"""A model version's files appear whole or not at all, and what nothing names is swept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from firnline_sandbox.models.files import UNFINISHED, ModelFiles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_add_size_and_remove(tmp_path: Path, package: Callable[..., Path]) -> None:
    files = ModelFiles(tmp_path / "models")
    source = package()
    assert files.add("one", source) == files.folder("one")
    assert (files.folder("one") / "MANIFEST.yml").read_bytes() == (source / "MANIFEST.yml").read_bytes()
    assert files.size("one") == sum(path.stat().st_size for path in source.rglob("*") if path.is_file())
    files.remove("one")
    assert list(files.root.iterdir()) == []


def test_sweep_removes_what_no_row_names(tmp_path: Path, package: Callable[..., Path]) -> None:
    files = ModelFiles(tmp_path / "models")
    files.sweep(["one"])  # there is no folder yet
    files.add("one", package())
    files.add("two", package())
    (files.root / f"{UNFINISHED}three").mkdir()
    files.sweep(["one"])
    assert [path.name for path in files.root.iterdir()] == ["one"]


def test_a_copy_that_fails_leaves_nothing(tmp_path: Path) -> None:
    files = ModelFiles(tmp_path / "models")
    with pytest.raises(OSError, match="absent"):
        files.add("one", tmp_path / "absent")
    assert list(files.root.iterdir()) == []
