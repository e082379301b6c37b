from __future__ import annotations

import sys
import tomllib

import grimp

from tests.meta.packages import ROOT

# Import name → distribution, where they differ.
DISTRIBUTIONS = {"hydra": "hydra-core", "omegaconf": "hydra-core", "yaml": "hydra-core"}


def imported_by(package: str) -> dict[str, set[str]]:
    """Return module of another distribution → the modules of the package that import it."""
    graph = grimp.build_graph(
        package, include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None
    )
    foreign = {name for name in graph.modules if name.partition(".")[0] not in {package, *sys.stdlib_module_names}}
    return {name: graph.find_modules_that_directly_import(name) for name in foreign}


def test_the_core_imports_only_what_it_declares() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {line.partition(">")[0].partition("=")[0].strip() for line in project["dependencies"]}
    undeclared = {
        name: sorted(importers)
        for name, importers in imported_by("firnline").items()
        if DISTRIBUTIONS.get(name, name) not in declared
        # The kit is used from tests, where pytest is.
        and not (name == "pytest" and all(importer.startswith("firnline.testing") for importer in importers))
    }
    assert undeclared == {}
