"""Compose in spite of overrides that Hydra refuses, so that all problems can be told together.

Hydra stops at the first override that it cannot use. Here each such override becomes a problem and is set aside, or
replaced by the option that is nearest to it, until the rest composes. Nothing ever runs with what comes of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from firnline.config.composed import Composed
from firnline.config.launch import compose
from firnline.config.names import nearest
from firnline.config.overrides import override_path, typed_source
from firnline.config.search_path import find_options
from firnline.errors import ConfigError, Problem

_IN_FILES: Final = 8  # choices in files that are misspelt; more than so many are not looked for


def mend(project: Path, overrides: Sequence[str], error: ConfigError) -> Composed | None:
    """Return the configuration without what Hydra refuses, and with the problems that this made.

    Args:
        project: the project folder.
        overrides: what was typed. Of a sweep (``seed=1,2``) the first choice counts.
        error: what Hydra said when it was launched with them.

    Returns:
        None if it cannot be composed for a reason that is in no override (a damaged file).
    """
    first = first_choices(overrides)
    left = first
    problems: list[Problem] = []
    for _ in range(2 * len(left) + _IN_FILES):  # each round sets aside an override, or replaces it once
        try:
            composed = compose(project, left)
        except ConfigError as refused:
            [problem] = refused.problems
            blamed = next((o for o in left if typed_source(o) == problem.source), None)
            if blamed is None:
                chosen = f"{problem.path}={problem.nearest}"
                if not (problem.expected and problem.nearest) or chosen in left:
                    return None
                problems.append(problem)
                left = [*left, chosen]  # in place of what a file chooses
                continue
            if blamed in first:  # not what this loop put in its place
                problems.append(problem)
            left = _without(left, blamed, problem)
        else:
            # A later choice of a sweep may be at fault, which the first ones do not show.
            known = {(problem.path, problem.message) for problem in problems}
            problems += [problem for problem in error.problems if (problem.path, problem.message) not in known]
            found = (_with_nearest(problem, project, composed) for problem in problems)
            return replace(composed, problems=(*dict.fromkeys(found), *composed.problems))
    return None


def first_choices(overrides: Sequence[str]) -> list[str]:
    """Return the overrides of the first job of a sweep; those of a single run are returned as they are."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import OverrideParseException

    parser = OverridesParser.create()
    first = []
    for override in overrides:
        try:
            [parsed] = parser.parse_overrides([override])
        except OverrideParseException:
            first.append(override)  # told when it is composed
            continue
        if not parsed.is_sweep_override():
            first.append(override)
        elif not parsed.is_interval_sweep():
            key = override.partition("=")[0]
            first.append(f"{key}={next(iter(parsed.sweep_string_iterator()))}")
    return first


def _without(overrides: Sequence[str], blamed: str, problem: Problem) -> list[str]:
    key, _, value = blamed.partition("=")
    mended = f"{key}={problem.nearest}"
    if problem.expected and problem.value == value and problem.nearest and mended != blamed:
        return [mended if override == blamed else override for override in overrides]
    # What was meant for the stage that this override would have made would only be reported a second time.
    package = override_path(blamed).rpartition("@")[2] + "."
    return [o for o in overrides if o != blamed and not ("@" in key and override_path(o).startswith(package))]


def _with_nearest(problem: Problem, project: Path, composed: Composed) -> Problem:
    """Add the nearest of the names that stand beside the one that is not there."""
    if problem.nearest or problem.expected or problem.path in composed.data or problem.path.startswith("hydra"):
        return problem
    parent, _, name = problem.path.rpartition(".")
    node: Any = composed.data
    for part in parent.split(".") if parent else ():
        node = node.get(part) if isinstance(node, dict) else None
    names = [key for key in node if key != name] if isinstance(node, dict) else []
    near = nearest(name, names if parent else [*names, *(group for group in find_options(project) if group != name)])
    return replace(problem, nearest=f"{parent}.{near}" if near and parent else near) if near else problem
