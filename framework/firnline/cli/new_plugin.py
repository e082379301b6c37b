"""Write the start of a plugin: a distribution whose first test, the conformance kit, passes."""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from typing import Final

import jinja2

from firnline import __version__
from firnline.errors import UsageError
from firnline.hooks import API_VERSION

_NAME: Final = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
_SUFFIX: Final = ".jinja"


def write_plugin(name: str, folder: Path) -> Path:
    """Write a new distribution into a folder that is not there yet, and return the folder.

    Args:
        name: of the distribution and of the plugin in it.
        folder: the folder to make.

    Raises:
        UsageError: the name is no name of a Python distribution, or the folder exists.
    """
    package = _package(name)
    if folder.exists():
        raise UsageError(f"{folder} exists already", hint="choose another name, or remove the folder")
    values = {
        "name": name,
        "package": package,
        "firnline_version": __version__,
        "api_major": int(API_VERSION.partition(".")[0]),
    }
    # Python, TOML and YAML, not HTML; the name is checked.
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701
    for path, source in _files(resources.files("firnline.cli") / "plugin_template", PurePosixPath()):
        text = environment.from_string(source.read_text(encoding="utf-8")).render(values)
        target = folder / _target(path, package)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return folder


def _package(name: str) -> str:
    package = name.replace("-", "_")
    if not _NAME.fullmatch(name) or keyword.iskeyword(package):
        raise UsageError(
            f"{name!r} cannot be the name of a plugin",
            hint="use lower-case letters, digits and hyphens, a letter first: for example firnline-prophet",
        )
    if package in sys.stdlib_module_names or package == "firnline":
        raise UsageError(f"a package called {package!r} exists already", hint=f"for example firnline-{name}")
    return package


def _files(folder: Traversable, inside: PurePosixPath) -> Iterator[tuple[PurePosixPath, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _files(entry, inside / entry.name)
        elif entry.name.endswith(_SUFFIX):
            yield inside / entry.name, entry


def _target(path: PurePosixPath, package: str) -> Path:
    """Return where a file of the template goes: `package` becomes the package's name."""
    parts = [part.removesuffix(_SUFFIX) for part in path.parts]
    renamed = {"package": package, "package.yaml": f"{package}.yaml", "gitignore": ".gitignore"}
    return Path(*(renamed.get(part, part) for part in parts))
