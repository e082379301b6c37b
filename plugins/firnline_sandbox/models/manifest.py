"""What a packaged model says about itself: `MANIFEST.yml`, `model/model.yaml` and its lists of requirements."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST_NAME: Final = "MANIFEST.yml"
MODEL_FILE_NAME: Final = "model/model.yaml"
DEFAULT_PLATFORMS: Final = ("WAREHOUSE", "SNOWPARK_CONTAINER_SERVICES")


class ManifestError(ValueError):
    """A folder is not a packaged model: the message says what is missing or malformed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a method. `default` is an SQL expression, or None where the caller must give a value."""

    name: str
    sql_type: str
    default: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One function of a model version, as SQL sees it."""

    name: str
    handler: str
    is_table_function: bool
    inputs: tuple[Argument, ...]
    outputs: tuple[Argument, ...]
    runtime: str

    @property
    def required(self) -> int:
        """Count the arguments that a caller must give."""
        return sum(argument.default is None for argument in self.inputs)

    @property
    def return_type(self) -> str:
        """The type as SHOW FUNCTIONS IN MODEL words it."""
        if self.is_table_function:
            return "TABLE (" + ", ".join(f"{output.name} {output.sql_type}" for output in self.outputs) + ")"
        return self.outputs[0].sql_type if self.outputs else "OBJECT"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageSource:
    """One thing that the model was made from, as the client recorded it: a DATASET, a QUERY or an EXPERIMENT."""

    kind: str
    entity: str
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Where a method runs: a Python version, and which files of the version list what must be installed."""

    python: str
    pip_file: str | None
    conda_file: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The facts of a packaged model that the sandbox uses."""

    methods: tuple[Method, ...]
    runtimes: dict[str, Runtime]
    platforms: tuple[str, ...]
    lineage: tuple[LineageSource, ...]
    user_data: dict[str, Any]
    framework: str
    task: str
    spec: str
    """The text of model/model.yaml, from which the client rebuilds signatures."""

    def method(self, name: str) -> Method | None:
        """Return the method of that resolved name."""
        return next((method for method in self.methods if method.name == name), None)


@functools.lru_cache(maxsize=256)
def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a model version's folder. Cached: a version's folder never changes once it has its name.

    Raises:
        ManifestError: a file is missing or is not what the client writes.
    """
    return parse_manifest(folder)


def parse_manifest(folder: Path) -> Manifest:
    """Read the manifest of any folder, for instance of a stage whose content may still change.

    Raises:
        ManifestError: a file is missing or is not what the client writes.
    """
    manifest, _ = _load_yaml(folder, MANIFEST_NAME)
    model, spec = _load_yaml(folder, MODEL_FILE_NAME)
    try:
        parsed = Manifest(
            methods=tuple(_method(entry) for entry in manifest["methods"]),
            runtimes={name: _runtime(entry) for name, entry in manifest["runtimes"].items()},
            platforms=tuple(manifest.get("target_platforms") or DEFAULT_PLATFORMS),
            lineage=tuple(
                LineageSource(kind=entry["type"], entity=entry["entity"], version=entry.get("version"))
                for entry in manifest.get("lineage_sources") or ()
            ),
            user_data=manifest.get("user_data") or {},
            framework=str(model["model_type"]),
            task=str(model.get("task") or "UNKNOWN"),
            spec=spec,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ManifestError(f"{MANIFEST_NAME} is malformed: {error!r}") from error
    for method in parsed.methods:
        module = method.handler.rpartition(".")[0]
        if method.runtime not in parsed.runtimes:
            raise ManifestError(f"{MANIFEST_NAME} names the runtime {method.runtime}, which it does not describe")
        if not folder.joinpath(*module.split(".")).with_suffix(".py").is_file():
            raise ManifestError(f"{MANIFEST_NAME} names the handler {method.handler}, whose file is missing")
    return parsed


def _load_yaml(folder: Path, name: str) -> tuple[dict[str, Any], str]:
    try:
        text = (folder / name).read_text("utf-8")
        content = yaml.safe_load(text)
    except OSError as error:
        # The client retries on this very text: on a real account an upload may not be readable at once.
        raise ManifestError(f"Unable to read file {name} from the model's stage location") from error
    except yaml.YAMLError as error:
        raise ManifestError(f"{name} is not YAML: {error}") from error
    if not isinstance(content, dict):
        raise ManifestError(f"{name} does not hold a mapping")
    return content, text


def _method(entry: dict[str, Any]) -> Method:
    arguments = [Argument(name=item["name"], sql_type=_type(item)) for item in entry["inputs"]]
    arguments += [
        Argument(name=item["name"], sql_type=_type(item), default=str(item["default"]))
        for item in entry.get("params") or ()
    ]
    return Method(
        name=entry["name"],
        handler=entry["handler"],
        is_table_function=entry["type"] == "TABLE_FUNCTION",
        inputs=tuple(arguments),
        outputs=tuple(Argument(name=item.get("name", ""), sql_type=_type(item)) for item in entry["outputs"]),
        runtime=entry["runtime"],
    )


def _type(item: dict[str, Any]) -> str:
    return str(item["type"]).strip().upper()


def _runtime(entry: dict[str, Any]) -> Runtime:
    dependencies = entry.get("dependencies") or {}
    return Runtime(python=str(entry["version"]), pip_file=dependencies.get("pip"), conda_file=dependencies.get("conda"))
