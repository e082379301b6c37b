"""What an exported file takes and gives: written beside it and into its metadata, read by the server."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from firnline.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from firnline.domain import Task

FORMAT: Final = 1
MODEL_FILE: Final = "model.onnx"
SIGNATURE_FILE: Final = "signature.json"
PROBABILITIES: Final = "probabilities"
CODE: Final = "code"
AMOUNT: Final = "amount"
Kind: TypeAlias = Literal["number", "text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One column.

    Attributes:
        name: of the column, and of the tensor in the file.
        kind: ``number`` (a tensor of doubles, NaN for NULL) or ``text`` (of strings).
        nullable: whether the model takes a missing value.
        categories: the only values that the model takes; empty: any.
    """

    name: str
    kind: Kind
    nullable: bool = True
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What an exported file takes and gives.

    Attributes:
        name: of the model.
        version: the registry's version, or the content key of the training.
        task: ``binary``, ``multiclass`` or ``regression``.
        target: the column that it predicts.
        classes: the labels in the order of the probabilities; empty for regression.
        inputs: its columns.
        missing_text: what stands for NULL in a string tensor.
        threshold: for two classes, the probability from which on the answer is the positive one.
        facts: where it comes from: run, pipeline, data version, feature version, libraries.
        metrics: how good the model is on held-out rows, as the registry knows.
        parity: what the comparison with the model came to.
    """

    name: str
    version: str
    task: Task
    target: str
    classes: tuple[Any, ...]
    inputs: tuple[Input, ...]
    missing_text: str
    threshold: float = 0.5
    facts: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    parity: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON data."""
        data: dict[str, Any] = json.loads(json.dumps({"format": FORMAT, **asdict(self)}))
        return data

    @staticmethod
    def from_json(data: dict[str, Any]) -> Signature:
        """Rebuild what :meth:`to_json` returned.

        Raises:
            UsageError: it is of another format.
        """
        if data.get("format") != FORMAT:
            raise UsageError(
                f"the signature has format {data.get('format')!r}, this Firnline reads format {FORMAT}",
                hint="export the model again with this version",
            )
        fields = {name: value for name, value in data.items() if name in Signature.__dataclass_fields__}
        inputs = tuple(Input(**{**given, "categories": tuple(given["categories"])}) for given in data["inputs"])
        return Signature(**{**fields, "classes": tuple(data["classes"]), "inputs": inputs})

    def metadata(self) -> dict[str, str]:
        """Return what the ONNX file carries as its metadata: text by name."""
        return {
            "firnline.signature": json.dumps(self.to_json(), sort_keys=True),
            "model_name": self.name,
            "model_version": self.version,
            "data_version": self.facts.get("data_version", ""),
            "features": json.dumps([given.name for given in self.inputs]),
            "metrics": json.dumps(self.metrics),
        }


def read_signature(folder: Path) -> Signature:
    """Read the signature of an export.

    Raises:
        UsageError: the folder is no export.
    """
    path = folder / SIGNATURE_FILE
    try:
        return Signature.from_json(json.loads(path.read_text("utf-8")))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(
            f"{folder} holds no {SIGNATURE_FILE}", hint="export a model first: `firnline run +export=onnx`"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is damaged: {error}", hint="export the model again") from error
