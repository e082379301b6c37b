"""Whether what a model needs is installed here: a real account builds an environment, the sandbox runs in this one."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import yaml
from packaging.requirements import InvalidRequirement, Requirement

from firnline_sandbox.workers.packages import problem_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from firnline_sandbox.models.manifest import Runtime


def unmet_requirements(folder: Path, runtime: Runtime) -> tuple[str, ...]:
    """Return a line for each requirement of a model's runtime that this environment does not meet."""
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    problems = [] if runtime.python == running else [f"Python {runtime.python} (this is Python {running})"]
    for text in _requirement_lines(folder, runtime):
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            problems.append(f"{text} (not understood)")
            continue
        if requirement.name == "python" or (requirement.marker is not None and not requirement.marker.evaluate()):
            continue
        if (problem := problem_of(requirement)) is not None:
            problems.append(problem)
    return tuple(problems)


def _requirement_lines(folder: Path, runtime: Runtime) -> Iterator[str]:
    if runtime.pip_file is not None:
        for line in (folder / runtime.pip_file).read_text("utf-8").splitlines():
            text = line.split("#", 1)[0].strip()
            if text and not text.startswith("-"):  # -r, --index-url: where from, not what
                yield text
    if runtime.conda_file is not None:
        content = yaml.safe_load((folder / runtime.conda_file).read_text("utf-8")) or {}
        yield from _conda_lines(content.get("dependencies") or ())


def _conda_lines(dependencies: Iterable[object]) -> Iterator[str]:
    for entry in dependencies:
        if isinstance(entry, dict):
            yield from (str(line) for line in entry.get("pip") or ())
        else:
            # Conda writes `name=1.2` where pip writes `name==1.2.*`.
            yield re.sub(r"(?<![=<>!~])=(?!=)([\w.]+)$", r"==\1.*", str(entry).rpartition("::")[2])
