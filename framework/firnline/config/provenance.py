"""Find out where a value of the composed config was written: a line of a file, or the command line.

Done only when there is a problem to report: Hydra does not remember where values come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from firnline.config.composed import Composed
from firnline.config.overrides import override_path, typed_source
from firnline.errors import Problem


@dataclass(frozen=True, slots=True)
class _Place:
    file: Path
    line: int
    depth: int
    value: str | None


def add_sources(problems: Sequence[Problem], composed: Composed) -> tuple[Problem, ...]:
    """Return the problems with the place where each offending value was written."""
    return tuple(
        problem if problem.source else replace(problem, source=find_source(problem, composed)) for problem in problems
    )


def find_source(problem: Problem, composed: Composed) -> str | None:
    """Return ``file:line`` or ``the command line (…)`` of the value at the problem's path, or of the nearest parent."""
    # The choice of an option (`train=torch`) sets no value itself: the option's file does.
    values = [(override_path(o), o) for o in composed.overrides if override_path(o) not in composed.choices]
    typed = [o for path, o in values if _covers(path, problem.path)]
    if typed:
        return typed_source(typed[-1])
    wanted = tuple(problem.path.split("."))
    places = [place for file, package in _files(composed) if (place := _find(file, package, wanted)) is not None]
    deepest = max((place.depth for place in places), default=0)
    below = [o for path, o in values if _covers(problem.path, path)]
    if below and deepest < len(wanted):  # no file has it: `lft.params.depth=4` made the whole node `lft`
        return typed_source(below[-1])
    if not places:
        return None
    candidates = [place for place in places if place.depth == deepest]
    exact = [place for place in candidates if place.value is not None and place.value == problem.value]
    best = (exact or candidates)[0]
    return f"{_short(best.file, composed.project)}:{best.line}"


def _covers(path: str, wanted: str) -> bool:
    return wanted == path or wanted.startswith(path + ".")


def _files(composed: Composed) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Yield config files with the package they fill, those that win first."""
    names = [(composed.primary, ())]
    options = [
        (f"{key.partition('@')[0]}/{option}", tuple((key.partition("@")[2] or key).split("/")))
        for key, option in composed.choices.items()
    ]
    # Files that write into the whole config (pipelines, profiles) win over the options that they choose.
    for name, package in [*names, *reversed(options), ("firnline", ())]:
        for source in composed.sources:
            file = source / f"{name}.yaml"
            if file.is_file():
                yield file, _package(file, package)
                break


def _package(file: Path, default: tuple[str, ...]) -> tuple[str, ...]:
    for line in file.read_text("utf-8").splitlines():
        if line.startswith("# @package"):
            name = line.removeprefix("# @package").strip()
            return () if name == "_global_" else tuple(name.split("."))
        if line.strip() and not line.startswith("#"):
            break
    return default


def _find(file: Path, package: tuple[str, ...], wanted: tuple[str, ...]) -> _Place | None:
    if wanted[: len(package)] != package:
        return None
    node = yaml.compose(file.read_text("utf-8"), Loader=yaml.SafeLoader)
    if node is None:
        return None
    line, depth, value = (1 if package else 0), len(package), None
    for part in wanted[len(package) :]:
        entry = _entry(node, part)
        if entry is None:
            break
        key, node = entry
        line, depth = key.start_mark.line + 1, depth + 1
        value = node.value if isinstance(node, yaml.ScalarNode) else None
    return _Place(file, line, depth, value if depth == len(wanted) else None) if line else None


def _entry(node: Any, name: str) -> tuple[Any, Any] | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next(((key, value) for key, value in node.value if key.value == name), None)


def _short(file: Path, project: Path) -> str:
    return file.relative_to(project).as_posix() if file.is_relative_to(project) else str(file)
