"""Look at a plugin from fresh interpreters, where nothing has been imported yet. Runs as a script, too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

PROBE_LIMIT_S: Final = 120
HEAVY_MODULES: Final = (
    "duckdb",
    "evidently",
    "hydra",
    "lightgbm",
    "matplotlib",
    "mlflow",
    "numpy",
    "onnx",
    "onnxruntime",
    "pandas",
    "pyarrow",
    "ray",
    "scipy",
    "sklearn",
    "snowflake.connector",
    "snowflake.ml",
    "snowflake.snowpark",
    "sqlglot",
    "torch",
    "xgboost",
)
"""What no plugin may import when it is loaded: ``firnline --help`` loads every plugin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What importing a plugin did.

    Attributes:
        heavy: modules that were imported and must not be.
        printed: what came out.
        error: the traceback if it failed.
    """

    heavy: tuple[str, ...]
    printed: str
    error: str = ""


@lru_cache(maxsize=32)
def probe_import(module: str, more: frozenset[str] = frozenset()) -> Import:
    """Import the plugin's module in a fresh interpreter.

    Args:
        module: the module, or ``module:object``.
        more: further modules that must not be imported.
    """
    forbidden = sorted({*HEAVY_MODULES, *more})
    program = f"import sys; import {module.partition(':')[0]}; sys.stderr.write('\\n'.join(sys.modules))"
    done = _interpreter(["-c", program])
    if done.returncode:
        return Import(heavy=(), printed=done.stdout, error=done.stderr)
    imported = set(done.stderr.splitlines())
    return Import(heavy=tuple(name for name in forbidden if name in imported), printed=done.stdout)


@lru_cache(maxsize=32)
def probe_keys(module: str, hash_seed: int) -> dict[str, dict[str, str]]:
    """Return step id → parts of the key of the step with its default params, worked out in a fresh interpreter.

    Raises:
        RuntimeError: the interpreter failed.
    """
    done = _interpreter(["-m", __name__, module], {"PYTHONHASHSEED": str(hash_seed)})
    if done.returncode:
        raise RuntimeError(done.stderr)
    parts: dict[str, dict[str, str]] = json.loads(done.stdout)
    return parts


def _interpreter(
    arguments: list[str], environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return subprocess.run(  # noqa: S603 (this interpreter, on the plugin under test)
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": path, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=PROBE_LIMIT_S,
        check=False,
    )


def _key_parts(module: str) -> dict[str, dict[str, str]]:
    from firnline.loading import FoundEntry, Hooks, Selection, build_registry, load_plugins
    from firnline.plan import key_parts

    entry = FoundEntry(name="probe", value=module, distribution="probe", version="0")
    loaded = load_plugins(entries=[entry], selection=Selection())
    steps = build_registry(loaded, Hooks(loaded)).steps
    return {
        step_id: key_parts(offer.spec, params=_defaults(offer.spec), platform_identity="", inputs={}, source_state=None)
        for step_id, offer in steps.items()
        if offer.spec.reusable
    }


def _defaults(spec: Any) -> dict[str, Any]:
    """Return the JSON data of the defaults; fields without one are left out."""
    fields = spec.params.model_fields
    given = {
        name: field.get_default(call_default_factory=True) for name, field in fields.items() if not field.is_required()
    }
    data: dict[str, Any] = json.loads(spec.params.model_construct(**given).model_dump_json(include=set(given)))
    return data


if __name__ == "__main__":
    json.dump(_key_parts(sys.argv[1]), sys.stdout)
