from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

from tests.meta.packages import ROOT, modules, packages


def test_every_module_imports_alone() -> None:
    script = Path(__file__).with_name("import_alone.py")
    asked = json.dumps({"packages": packages(), "modules": modules()})
    done = subprocess.run([sys.executable, str(script)], input=asked, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {}


def test_no_module_takes_part_in_an_import_cycle() -> None:
    graph = grimp.build_graph(*packages(), exclude_type_checking_imports=True, cache_dir=None)
    assert cycles({module: graph.find_modules_directly_imported_by(module) for module in graph.modules}) == []


def cycles(imports: dict[str, set[str]]) -> list[set[str]]:
    """Return the groups of modules that reach each other, by taking away those that are in no cycle."""
    remaining = dict(imports)
    while free := [name for name, needed in remaining.items() if not needed & remaining.keys()]:
        for name in free:
            del remaining[name]
    groups: list[set[str]] = []
    for name in remaining:
        group = {other for other in _reached(name, remaining) if name in _reached(other, remaining)}
        if group and group not in groups:
            groups.append(group)
    return groups


def _reached(start: str, imports: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for name in imports.get(waiting.pop(), set()) - seen:
            seen.add(name)
            waiting.append(name)
    return seen


def test_cycles_are_found() -> None:
    imports = {"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": set(), "e": {"a"}}
    assert cycles(imports) == [{"a", "b", "c"}]


@pytest.mark.parametrize("package", packages())
def test_what_a_package_exports_is_sorted_and_there(package: str) -> None:
    found = [importlib.import_module(package)]
    found += [importlib.import_module(name) for name in modules() if name.startswith(f"{package}.")]
    for module in found:
        exported = list(getattr(module, "__all__", ()))
        assert exported == sorted(set(exported)), module.__name__
        assert [name for name in exported if not hasattr(module, name)] == [], module.__name__
