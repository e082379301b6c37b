from __future__ import annotations

import tomllib
from pathlib import Path

from checks import size_caps
from checks.size_caps import CAPS, complaints, measure_file, measure_tree


def sizes_of(tmp_path: Path, source: str) -> dict[str, int]:
    path = tmp_path / "example.py"
    path.write_text(source, encoding="utf-8")
    return {size.key: size.value for size in measure_file(path, "example.py")}


def test_this_repository_keeps_its_caps() -> None:
    allowed = tomllib.loads(size_caps.ALLOWED.read_text(encoding="utf-8"))
    assert complaints(measure_tree(size_caps.ROOT), allowed) == []


def test_functions_are_measured_without_docstring_and_decorators(tmp_path: Path) -> None:
    source = '@decorator\ndef f():\n    """One.\n\n    Two.\n    """\n    return 1\n'
    assert sizes_of(tmp_path, source)["example.py::f lines of function"] == 2


def test_nesting_counts_blocks_but_not_elif(tmp_path: Path) -> None:
    flat = "def f(x):\n    if x:\n        pass\n    elif x == 2:\n        pass\n    elif x == 3:\n        pass\n"
    assert sizes_of(tmp_path, flat)["example.py::f nesting"] == 1
    deep = "def f(x):\n    for a in x:\n        if a:\n            with a:\n                pass\n"
    assert sizes_of(tmp_path, deep)["example.py::f nesting"] == 3


def test_public_methods_are_counted_once_each(tmp_path: Path) -> None:
    methods = [
        "def a(self): ...",
        "def _b(self): ...",
        "@property",
        "def c(self): ...",
        "@c.setter",
        "def c(self, v): ...",
    ]
    source = "class C:\n" + "".join(f"    {line}\n" for line in methods)
    assert sizes_of(tmp_path, source)["example.py::C public methods"] == 2


def test_what_is_over_its_cap_is_told(tmp_path: Path) -> None:
    path = tmp_path / "example.py"
    path.write_text("x = 1\n" * 601, encoding="utf-8")
    assert complaints(measure_file(path, "example.py"), {}) == ["example.py: lines of file is 601, the cap is 600"]


def test_the_allow_list_only_shrinks(tmp_path: Path) -> None:
    path = tmp_path / "example.py"
    path.write_text("x = 1\n" * 650, encoding="utf-8")
    key = "example.py lines of file"
    assert complaints(measure_file(path, "example.py"), {key: 650}) == []
    assert "the cap is 640" in complaints(measure_file(path, "example.py"), {key: 640})[0]
    assert "shrank to 650" in complaints(measure_file(path, "example.py"), {key: 700})[0]
    path.write_text("x = 1\n", encoding="utf-8")
    assert "take it off" in complaints(measure_file(path, "example.py"), {key: 650})[0]
    assert set(CAPS) == {"lines of file", "lines of function", "nesting", "public methods"}
