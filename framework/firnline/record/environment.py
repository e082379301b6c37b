"""The environment in which a run happens: versions, machine, git commit."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Final

_GIT_TIMEOUT_S: Final = 5


def describe_environment(project: Path, distributions: Iterable[str]) -> dict[str, str]:
    """Return facts as name → text: python, system, versions of installed distributions, git commit and dirty flag.

    Args:
        project: the project folder, whose git repository is described.
        distributions: names of the distributions whose versions matter; those not installed are left out.
    """
    facts = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }
    for name in sorted(set(distributions)):
        try:
            facts[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return facts | _git(project)


def _git(project: Path) -> dict[str, str]:
    commit = _run_git(project, "rev-parse", "HEAD")
    if commit is None:
        return {}
    changed = _run_git(project, "status", "--porcelain", "--untracked-files=no")
    return {"git_commit": commit, "git_dirty": "unknown" if changed is None else "yes" if changed else "no"}


def _run_git(project: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 (constant arguments)
            ["git", "-C", str(project), *arguments],  # noqa: S607 (the user's git)
            capture_output=True,
            text=True,
            timeout=_GIT_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None  # no git, or a repository so large that asking would hold the run up
    return done.stdout.strip() if done.returncode == 0 else None
