"""What is installed in the Python environment in which workers run."""

from __future__ import annotations

import functools
import importlib.metadata
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

CONDA_NAMES: Final = {
    "pytorch": "torch",
    "py-xgboost": "xgboost",
    "py-xgboost-cpu": "xgboost",
    "py-xgboost-gpu": "xgboost",
}
"""Conda's names of packages that PyPI calls otherwise."""

WAREHOUSE_ONLY: Final = {"snowflake-telemetry-python": "0.5.0"}
"""Packages that warehouses have and nobody else: clients ask for them, and use nothing of them here."""


def unmet_package(text: str) -> str | None:
    """Say what is wrong with a package that a function asks for, such as ``numpy==1.26.*``; None if it is there."""
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return f"{text} (not understood)"
    return problem_of(requirement)


def problem_of(requirement: Requirement) -> str | None:
    """Say what is wrong with a requirement; None if it is met."""
    if requirement.name in WAREHOUSE_ONLY:
        return None
    installed = _installed_version(CONDA_NAMES.get(requirement.name, requirement.name))
    if installed is None:
        return f"{requirement} (not installed)"
    if not requirement.specifier.contains(installed, prereleases=True):
        return f"{requirement} (installed: {installed})"
    return None


def _installed_version(name: str) -> str | None:
    """Look a package up by its distribution's name, and then by the name it is imported under.

    The second serves builds that bring the same module under another name, such as xgboost-cpu for xgboost.
    """
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        providers = _distributions_by_module().get(canonicalize_name(name).replace("-", "_"), ())
        return importlib.metadata.version(providers[0]) if providers else None


@functools.cache
def _distributions_by_module() -> dict[str, list[str]]:
    return {module: list(names) for module, names in importlib.metadata.packages_distributions().items()}


@functools.cache
def installed_packages() -> dict[str, str]:
    """List what is installed, by the names that functions ask for, with versions.

    A build that brings another package's module (xgboost-cpu) stands there under that package's name, too.
    """
    found = {
        canonicalize_name(distribution.name): distribution.version
        for distribution in importlib.metadata.distributions()
        if distribution.name
    }
    for module, names in _distributions_by_module().items():
        name = canonicalize_name(module)
        if name not in found and names and canonicalize_name(names[0]).startswith(f"{name}-"):
            found[name] = importlib.metadata.version(names[0])
    return WAREHOUSE_ONLY | found
