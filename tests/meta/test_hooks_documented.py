from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest

from firnline.hooks import specs
from tests.meta.packages import ROOT

HOOKS: dict[str, Callable[..., Any]] = {
    name: value for name, value in vars(specs).items() if hasattr(value, "firnline_spec")
}
KINDS = ("Registering", "Deciding", "Observing", "Describing")
REFERENCE = ROOT / "docs" / "reference" / "hooks.md"


def test_there_are_few_hooks() -> None:
    assert 1 <= len(HOOKS) <= 15


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_says_what_kind_it_is(name: str) -> None:
    assert name.startswith("firnline_")
    docstring = inspect.getdoc(HOOKS[name]) or ""
    assert docstring.startswith(tuple(f"{kind}: " for kind in KINDS))


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_is_documented_with_its_exact_arguments(name: str) -> None:
    arguments = ", ".join(inspect.signature(HOOKS[name]).parameters)
    headings = re.findall(r"^### `([^`]+)`$", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE)
    assert f"{name}({arguments})" in headings


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_has_a_test(name: str) -> None:
    here = {"test_hooks_documented.py"}
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py") if path.name not in here]
    assert any(re.search(rf"\b{name}\b", text) for text in texts)
