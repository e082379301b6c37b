"""The fingerprint of a step's code: a hash over its module and what that imports from its own package.

Nothing is imported to find it: modules are located and their sources parsed. Code of other packages does not count; a
step whose results depend on the version of a library puts that into its params or raises ``StepSpec.version``.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from firnline.domain import StepSpec, content_hash


def code_fingerprint(spec: StepSpec) -> str:
    """Return 16 hexadecimal digits that change when the step's code changes."""
    module = spec.run.partition(":")[0] if isinstance(spec.run, str) else spec.run.__module__
    sources = _closure(module)
    if sources:
        return content_hash([spec.id, sources])[:16]
    return content_hash([spec.id, _source_of(spec.run)])[:16]


def _source_of(function: Callable[..., Any] | str) -> str:
    """Fall back to the function's own text (a notebook, ``__main__``), or to its bytecode where there is no text."""
    if isinstance(function, str):
        return function
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        code = getattr(function, "__code__", None)
        return repr((code.co_code, code.co_consts)) if code is not None else repr(type(function))


@lru_cache(maxsize=512)
def _closure(module: str) -> tuple[tuple[str, str], ...]:
    """Return (module, hash of its source) of the module and all it imports from its own top-level package."""
    if module == "__main__":
        return ()
    package = module.partition(".")[0]
    seen: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        file = _locate(name)
        if file is None:
            continue
        text = file.read_bytes()
        seen[name] = hashlib.sha256(text).hexdigest()[:16]
        is_package = file.name == "__init__.py"
        waiting += [other for other in _imports(text, name, is_package) if other.partition(".")[0] == package]
    return tuple(sorted(seen.items()))


@lru_cache(maxsize=2048)
def _locate(module: str) -> Path | None:
    """Find a module's source file from its top-level package, whose import is not needed either."""
    package, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(package)
    except (ValueError, ModuleNotFoundError):
        return None
    if spec is None or spec.origin is None:
        return None
    if not rest:
        return Path(spec.origin) if spec.origin.endswith(".py") else None
    for location in spec.submodule_search_locations or ():
        base = Path(location).joinpath(*rest)
        for file in (base.with_suffix(".py"), base / "__init__.py"):
            if file.is_file():
                return file
    return None


def _imports(text: bytes, module: str, is_package: bool) -> Iterator[str]:
    """Yield the names of modules that a source imports, also inside functions and as ``"module:function"``."""
    anchor = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = anchor[: len(anchor) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            yield start
            yield from (f"{start}.{alias.name}" for alias in node.names)
