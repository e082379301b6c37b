"""Check what a step returned against its output ports."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from firnline.domain import ARTIFACT_KINDS, Artifact, Metrics, PlannedStage, StepSpec, Table
from firnline.errors import OutputError


def check_outputs(spec: StepSpec, stage: PlannedStage, returned: Any, directory: Path) -> dict[str, Artifact]:
    """Return port → artifact.

    Raises:
        OutputError: a port is missing, unknown or of another kind, or a file is not in the output folder.
    """

    def wrong(message: str) -> OutputError:
        return OutputError(
            f"step {spec.id} of {stage.plugin} {message}", stage=stage.name, step=spec.id, plugin=stage.plugin
        )

    outputs = _as_mapping(spec, returned)
    if outputs is None:
        raise wrong(f"returned {type(returned).__name__} instead of a mapping with {_ports(spec)}")
    if set(outputs) != set(spec.outputs):
        raise wrong(f"returned the outputs {', '.join(map(str, outputs)) or 'none'}; its ports are {_ports(spec)}")
    for port, artifact in outputs.items():
        kind = spec.outputs[port].kind
        if not isinstance(artifact, kind):
            raise wrong(f"returned a {type(artifact).__name__} as {port!r}, which is a {kind.__name__}")
        path = getattr(artifact, "path", None)
        if path is not None and not (Path(path).is_relative_to(directory) and Path(path).exists()):
            raise wrong(f"returned {port!r} at {path}, which is not in its output folder (context.directory)")
    return {port: outputs[port] for port in spec.outputs}


def collect_metrics(outputs: Mapping[str, Artifact]) -> dict[str, float]:
    """Return the numbers of all Metrics outputs; with several such ports, as ``port.name``."""
    found = {port: artifact for port, artifact in outputs.items() if isinstance(artifact, Metrics)}
    return {
        (name if len(found) == 1 else f"{port}.{name}"): float(value)
        for port, metrics in found.items()
        for name, value in metrics.values.items()
    }


def count_rows(outputs: Mapping[str, Artifact]) -> int | None:
    """Return the rows of all tables together; None if no table says."""
    counts = [
        artifact.rows for artifact in outputs.values() if isinstance(artifact, Table) and artifact.rows is not None
    ]
    return sum(counts) if counts else None


def _as_mapping(spec: StepSpec, returned: Any) -> Mapping[str, Any] | None:
    if isinstance(returned, Mapping):
        return returned
    if returned is None and not spec.outputs:
        return {}
    if isinstance(returned, tuple(ARTIFACT_KINDS.values())) and len(spec.outputs) == 1:
        return {next(iter(spec.outputs)): returned}
    return None


def _ports(spec: StepSpec) -> str:
    return ", ".join(f"{name} ({port.kind.__name__})" for name, port in spec.outputs.items()) or "no outputs"
