"""Functions of the project that a config names: where they stand, what their code is, how they are loaded.

The project folder need not be on Python's path. What counts as a function's code is its module and all modules of the
project that it imports, found by parsing: nothing is imported while planning.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from firnline.domain import content_hash
from firnline.errors import UsageError
from firnline_snowpark.project_files import project_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

REFERENCE: Final = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$"
_LOADING: Final = threading.RLock()  # stages load in threads, and sys.modules is one


def function_state(reference: str, project: Path) -> str:
    """Return a hash that changes with the code of the function's module and of what that imports from the project.

    Raises:
        UsageError: the module is not in the project, is no Python, or does not define the function.
    """
    module, _, name = reference.partition(":")
    files = module_files(module, project)
    tree = _parsed(files[module])
    if not any(_binds(node, name) for node in tree.body):
        defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        raise UsageError(
            f"{files[module]} defines no {name!r}",
            hint=f"it defines {', '.join(defined)}" if defined else "define it at the top level of the module",
        )
    return content_hash([reference, {found: _digest(file) for found, file in sorted(files.items())}])


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _binds(node: ast.stmt, name: str) -> bool:
    match node:
        case ast.FunctionDef() | ast.ClassDef():
            return node.name == name
        case ast.ImportFrom() | ast.Import():
            return any((alias.asname or alias.name) == name for alias in node.names)
        case ast.Assign():
            return any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
    return False


def module_files(module: str, project: Path) -> dict[str, Path]:
    """Return the module and all that it imports from the project: name → file.

    Raises:
        UsageError: it is not in the project, or one of them is no Python.
    """
    if module.partition(".")[0] in sys.stdlib_module_names:
        raise UsageError(f"module {module} has the name of one of Python's own", hint="give the file another name")
    if _file(module, project) is None:
        project_file(f"{module.replace('.', '/')}.py", project, what="a Python module")
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        file = _file(name, project)
        if name in found or file is None:
            continue
        found[name] = file
        waiting += _imports(_parsed(file), name, is_package=file.name == "__init__.py")
        if package := name.rpartition(".")[0]:
            waiting.append(package)
    return found


def _file(module: str, project: Path) -> Path | None:
    if module.partition(".")[0] in sys.stdlib_module_names:
        return None
    place = project.joinpath(*module.split("."))
    return next((file for file in (place / "__init__.py", place.with_suffix(".py")) if file.is_file()), None)


def _parsed(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_bytes(), str(file))
    except SyntaxError as error:
        raise UsageError(f"{file}, line {error.lineno}: {error.msg}", hint="it must be Python") from error


def _imports(tree: ast.Module, module: str, *, is_package: bool) -> Iterator[str]:
    anchor = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = anchor[: len(anchor) - node.level + 1] if node.level else []
            start = [*start, *([node.module] if node.module else [])]
            yield ".".join(start)
            yield from (".".join([*start, alias.name]) for alias in node.names)


@contextmanager
def on_path(project: Path) -> Iterator[None]:
    """Let modules of the project be imported while the context lasts."""
    entry = str(project)
    sys.path.insert(0, entry)
    try:
        yield
    finally:
        sys.path.remove(entry)


def load_function(reference: str, project: Path) -> Callable[..., Any]:
    """Import the function as its files are now, whatever was imported under these names before.

    Raises:
        UsageError: there is no such function in the project.
    """
    module, _, name = reference.partition(":")
    with _LOADING, on_path(project):
        for loaded in module_files(module, project):
            sys.modules.pop(loaded, None)
        importlib.invalidate_caches()
        found = getattr(importlib.import_module(module), name, None)
    if not callable(found):
        raise UsageError(f"{reference} is no function", hint="name a function as module:function")
    function: Callable[..., Any] = found
    return function
