"""What one engine has for its models: the files of their versions and the workers that run them."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firnline_sandbox.errors import error
from firnline_sandbox.models.files import ModelFiles
from firnline_sandbox.models.inference import CALL_FUNCTION, call_function_for, parameter_types
from firnline_sandbox.models.manifest import read_manifest
from firnline_sandbox.models.objects import Model
from firnline_sandbox.models.requirements import unmet_requirements
from firnline_sandbox.models.workers import WorkerPool
from firnline_sandbox.statements.registry import engine_part

if TYPE_CHECKING:
    from firnline_sandbox.engine import SandboxEngine
    from firnline_sandbox.models.manifest import Manifest, Method
    from firnline_sandbox.models.objects import ModelVersion


@dataclass(frozen=True, slots=True)
class ModelRoom:
    """Files and workers; made when the engine opens, closed when it closes."""

    files: ModelFiles
    workers: WorkerPool

    def manifest(self, version: ModelVersion) -> Manifest:
        """Read what a version says of itself."""
        return read_manifest(self.files.folder(version.id))

    def require_runnable(self, version: ModelVersion, method: Method) -> None:
        """Make sure that what the version needs is installed here.

        Raises:
            ProgrammingError: 100357, something is missing; the message lists it.
        """
        folder = self.files.folder(version.id)
        problems = _unmet(folder, read_manifest(folder).runtimes[method.runtime])
        if problems:
            raise error(
                100357,
                "P0000",
                "Cannot create a Python function with the specified packages. Please check your packages specification "
                f"and try again. Not met by this Python environment, in which the sandbox runs models: "
                f"{'; '.join(problems)}. hint: install them here, or log the model with requirements that are met.",
            )

    def close(self) -> None:
        """End the workers."""
        self.workers.close()


_unmet = functools.lru_cache(maxsize=256)(unmet_requirements)


@engine_part("models")
def open_room(engine: SandboxEngine) -> ModelRoom:
    """Sweep what a killed process left behind, and let DuckDB know the function that runs models."""
    files = ModelFiles(engine.models)
    files.sweep(version.id for entry in engine.catalog if isinstance(entry, Model) for version in entry.versions)
    room = ModelRoom(files, WorkerPool())
    engine.database.create_function(
        CALL_FUNCTION,
        call_function_for(room, engine.history),
        parameter_types(),
        "VARCHAR",
        type="arrow",
        null_handling="special",
        # A model is a function of its arguments: DuckDB may leave out or fold calls whose results are not used.
        side_effects=False,
    )
    return room
