"""Keep the tail short: caps on files, functions, classes and nesting, with an allow-list that may only shrink.

Run ``python -m checks.size_caps``. Exit code 1 if something is over its cap, if an allowed thing grew, or if an entry
of the allow-list is no longer needed or wider than needed.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
ALLOWED: Final = Path(__file__).with_name("size_caps.toml")
FOLDERS: Final = ("framework", "plugins", "checks", "tests")
SKIPPED_FOLDERS: Final = frozenset({"__pycache__", "build", "dist"})

LINES_OF_FILE: Final = "lines of file"
LINES_OF_FUNCTION: Final = "lines of function"
NESTING: Final = "nesting"
PUBLIC_METHODS: Final = "public methods"
CAPS: Final[Mapping[str, int]] = {LINES_OF_FILE: 600, LINES_OF_FUNCTION: 60, NESTING: 4, PUBLIC_METHODS: 12}

Block = ast.If | ast.For | ast.AsyncFor | ast.While | ast.With | ast.AsyncWith | ast.Try | ast.TryStar | ast.Match
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """One measured thing: ``where`` is a path, followed by ``::qualified.name`` for what is inside of a file."""

    where: str
    what: str
    value: int

    @property
    def key(self) -> str:
        """The name of this measure in the allow-list."""
        return f"{self.where} {self.what}"


def measure_file(path: Path, where: str) -> Iterator[Size]:
    """Yield the sizes of a file and of everything that is defined in it."""
    source = path.read_text(encoding="utf-8")
    yield Size(where=where, what=LINES_OF_FILE, value=len(source.splitlines()))
    yield from _measure_definitions(ast.parse(source), where, prefix="")


def _measure_definitions(parent: ast.AST, where: str, prefix: str) -> Iterator[Size]:
    for node in ast.iter_child_nodes(parent):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                name = prefix + node.name
                yield Size(where=f"{where}::{name}", what=LINES_OF_FUNCTION, value=_lines(node))
                yield Size(where=f"{where}::{name}", what=NESTING, value=_depth(node))
                yield from _measure_definitions(node, where, f"{name}.")
            case ast.ClassDef():
                name = prefix + node.name
                methods = [n for n in node.body if isinstance(n, Function) and not n.name.startswith("_")]
                yield Size(where=f"{where}::{name}", what=PUBLIC_METHODS, value=len({n.name for n in methods}))
                yield from _measure_definitions(node, where, f"{name}.")
            case _:
                yield from _measure_definitions(node, where, prefix)


def _lines(node: Function) -> int:
    """Count the lines of a function without its decorators and its docstring: explaining costs nothing."""
    end = node.end_lineno or node.lineno
    first = node.body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if is_docstring else 0
    return end - node.lineno + 1 - docstring


def _depth(node: ast.AST) -> int:
    """Return how deep blocks are nested below a node; inner functions and classes count for themselves."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.ClassDef):
            continue
        inner = _depth(child)
        # `elif` is written as an `if` in the `else` of another, without being deeper on the page.
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        deepest = max(deepest, inner + (isinstance(child, Block) and not is_elif))
    return deepest


def measure_tree(root: Path) -> Iterator[Size]:
    """Yield the sizes of every Python file of the repository."""
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            if not SKIPPED_FOLDERS.intersection(path.parts):
                yield from measure_file(path, path.relative_to(root).as_posix())


def complaints(sizes: Iterator[Size], allowed: Mapping[str, int]) -> list[str]:
    """Compare sizes with the caps and the allow-list; return one sentence for each disagreement."""
    over = {size.key: size for size in sizes if size.value > CAPS[size.what]}
    found = []
    for key, size in over.items():
        limit = allowed.get(key, CAPS[size.what])
        if size.value > limit:
            found.append(f"{size.where}: {size.what} is {size.value}, the cap is {limit}")
        elif size.value < limit:
            found.append(f"{size.where}: {size.what} shrank to {size.value}; write that into {ALLOWED.name}")
    found += [f"{key}: within the cap now; take it off {ALLOWED.name}" for key in allowed if key not in over]
    return found


def main() -> int:
    """Print every complaint; return the exit code."""
    allowed = tomllib.loads(ALLOWED.read_text(encoding="utf-8"))
    found = complaints(measure_tree(ROOT), allowed)
    sys.stdout.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
