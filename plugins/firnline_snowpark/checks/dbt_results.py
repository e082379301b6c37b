"""What dbt says in run_results.json and manifest.json, as far as a gate needs it."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from firnline.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

Verdict: TypeAlias = Literal["passed", "warned", "failed", "skipped"]
_VERDICTS: Final[dict[str, Verdict]] = {
    "pass": "passed",
    "success": "passed",
    "no-op": "passed",
    "warn": "warned",
    "fail": "failed",
    "error": "failed",
    "runtime error": "failed",
    "partial success": "failed",
    "skipped": "skipped",
}
_TESTS: Final = frozenset({"test", "unit_test"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DbtResult:
    """The result of a test, or of a model that dbt could not build.

    Attributes:
        id: dbt's own.
        name: what people call it.
        model: the model that it is about, where the manifest says so.
        verdict: what became of it.
        failures: rows that fail, where dbt has counted them.
        message: what dbt said.
    """

    id: str
    name: str
    model: str
    verdict: Verdict
    failures: int | None
    message: str

    @property
    def is_test(self) -> bool:
        """Whether it is a test, not a model, seed or snapshot."""
        return self.id.partition(".")[0] in _TESTS


@dataclass(frozen=True, slots=True, kw_only=True)
class DbtRun:
    """One run of dbt."""

    generated_at: dt.datetime
    version: str
    results: tuple[DbtResult, ...]


def read_run(results: Path, manifest: Path | None) -> DbtRun:
    """Read what dbt wrote.

    Raises:
        DataError: a file is no JSON, or not what dbt writes there.
    """
    data = _json(results)
    nodes: dict[str, Any] = {}
    if manifest is not None:
        described = _json(manifest)
        nodes = {**(described.get("nodes") or {}), **(described.get("unit_tests") or {})}
        if not nodes:
            raise DataError(f"{manifest} describes no nodes", hint="is it dbt's manifest.json?")
    try:
        stamp = dt.datetime.fromisoformat(data["metadata"]["generated_at"])
        return DbtRun(
            generated_at=stamp if stamp.tzinfo is not None else stamp.replace(tzinfo=dt.UTC),
            version=str(data["metadata"].get("dbt_version", "unknown")),
            results=tuple(_result(entry, nodes) for entry in data["results"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{results} is not what dbt writes: {type(error).__name__} {error}",
            hint="name the run_results.json of `dbt test` or `dbt build`",
        ) from error


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is no JSON: {error}", hint="has dbt finished writing it?") from error
    if not isinstance(data, dict):
        raise DataError(f"{path} holds a JSON {type(data).__name__}", hint="dbt writes an object")
    return data


def _result(entry: dict[str, Any], nodes: dict[str, Any]) -> DbtResult:
    id_, status = str(entry["unique_id"]), str(entry["status"]).lower()
    if status not in _VERDICTS:
        raise ValueError(f"status {status!r} of {id_} is not known")
    node = nodes.get(id_) or {}
    failures = entry.get("failures")
    return DbtResult(
        id=id_,
        name=str(node.get("name") or _name(id_)),
        model=_model(node),
        verdict=_VERDICTS[status],
        failures=None if failures is None else int(failures),
        message=" ".join(str(entry.get("message") or "").split()),
    )


def _name(id_: str) -> str:
    """Return the name within an id such as ``test.shop.not_null_orders_id.1a2b``."""
    parts = id_.split(".")
    return parts[2] if len(parts) > 2 else id_


def _model(node: dict[str, Any]) -> str:
    attached = node.get("attached_node") or next(iter((node.get("depends_on") or {}).get("nodes") or ()), "")
    model = str(node.get("model") or _name(attached)) if attached or node.get("model") else ""
    column = node.get("column_name")
    return f"{model}.{column}" if model and column else model
