"""What runs along the edges of a pipeline: frozen values that point at data, never the data itself."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

Task: TypeAlias = Literal["binary", "multiclass", "regression"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table on the platform. The rows stay there.

    Attributes:
        name: fully qualified and quoted where Snowflake needs quotes, ready to be put into SQL.
        rows: how many rows, if the step knows.
        columns: column names in order, as the platform spells them (without quotes).
    """

    name: str
    rows: int | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A fitted model in its native library, pickled in the artifact folder.

    Attributes:
        path: the pickle file.
        framework: the library's import name, for example ``xgboost``.
        task: ``binary``, ``multiclass`` or ``regression``.
        features: input columns in the order that the model expects.
        target: the column it predicts.
        classes: the labels in the order of ``predict_proba``'s columns; empty for regression. The model predicts
            their places in this order.
        params: how it was trained, as plain JSON data; a registry keeps them with the version.
    """

    path: Path
    framework: str
    task: Task
    features: tuple[str, ...]
    target: str
    classes: tuple[Any, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)

    def load(self) -> Any:
        """Return the fitted estimator. Unpickling runs code: load only what your own runs wrote."""
        with self.path.open("rb") as file:
            return pickle.load(file)  # noqa: S301 (written by a stage of this project)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredModel:
    """A model version in the platform's Model Registry."""

    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Numbers by name, for example ``{"roc_auc": 0.84}``. They become the run's metrics."""

    values: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A paragraph of a report (plain text; blank lines separate paragraphs)."""

    body: str
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A small table of a report: already aggregated, at most some hundred rows."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A plot of a report: an SVG document, with a caption."""

    title: str
    svg: str
    caption: str = ""


Section: TypeAlias = Text | Grid | Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Sections that the run's ``report.html`` shows under the stage's name."""

    title: str
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """A folder of files in the artifact folder."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """Any Python object, pickled in the artifact folder. For small things: tables stay on the platform."""

    path: Path

    def load(self) -> Any:
        """Return the object. Unpickling runs code: load only what your own runs wrote."""
        with self.path.open("rb") as file:
            return pickle.load(file)  # noqa: S301 (written by a stage of this project)


Artifact: TypeAlias = Table | Model | RegisteredModel | Metrics | Report | Files | Value
Outputs: TypeAlias = Mapping[str, Artifact]

ARTIFACT_KINDS: Mapping[str, type] = {kind.__name__: kind for kind in get_args(Artifact)}
_SECTIONS: Mapping[str, type] = {kind.__name__: kind for kind in get_args(Section)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """One typed input or output of a step.

    Attributes:
        kind: the artifact class that it takes or gives.
        optional: an input that may be left unconnected.
        many: an input that takes a list of artifacts.
        description: one sentence for ``firnline steps``.
    """

    kind: type
    optional: bool = False
    many: bool = False
    description: str = field(default="", compare=False)


def artifact_to_json(artifact: Artifact, root: Path) -> dict[str, Any]:
    """Return plain JSON data; paths become relative to ``root`` so that a project can be moved."""
    data: dict[str, Any] = {"kind": type(artifact).__name__}
    for name in artifact.__dataclass_fields__:
        value = getattr(artifact, name)
        if isinstance(value, Path):
            value = value.relative_to(root).as_posix()
        elif name == "sections":
            value = [{"kind": type(s).__name__, **{f: getattr(s, f) for f in s.__dataclass_fields__}} for s in value]
        elif isinstance(value, Mapping):
            value = dict(value)
        data[name] = value
    return data


def artifact_from_json(data: Mapping[str, Any], root: Path) -> Artifact:
    """Rebuild what :func:`artifact_to_json` wrote."""
    fields = {name: value for name, value in data.items() if name != "kind"}
    if "path" in fields:
        fields["path"] = root / fields["path"]
    for name in ("columns", "features", "classes"):
        if name in fields:
            fields[name] = tuple(fields[name])
    if "sections" in fields:
        fields["sections"] = tuple(_section(section) for section in fields["sections"])
    artifact: Artifact = ARTIFACT_KINDS[data["kind"]](**fields)
    return artifact


def _section(data: Mapping[str, Any]) -> Section:
    fields = {name: value for name, value in data.items() if name != "kind"}
    if data["kind"] == "Grid":
        fields |= {"columns": tuple(fields["columns"]), "rows": tuple(tuple(row) for row in fields["rows"])}
    section: Section = _SECTIONS[data["kind"]](**fields)
    return section
