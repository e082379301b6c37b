"""``export.onnx``: convert, check, compare, and only then hand on."""

from __future__ import annotations

import hashlib
import importlib
import json
from dataclasses import replace
from importlib import metadata
from platform import python_version
from typing import TYPE_CHECKING, Any, Final

from firnline.domain import Files, Grid, Metrics, Report, Text
from firnline_onnx.conversion.convert import convert
from firnline_onnx.conversion.graph import MISSING_TEXT
from firnline_onnx.deployment import write_deployment
from firnline_onnx.parity import Comparison, compare, refuse_difference, shown_values
from firnline_onnx.registry import note_export, registered_facts
from firnline_onnx.rows import draw_rows, feature_kinds
from firnline_onnx.signature import MODEL_FILE, SIGNATURE_FILE, Input, Signature

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from firnline.domain import Model, Outputs, RegisteredModel, StepContext, Table
    from firnline_onnx.conversion.convert import Converted
    from firnline_onnx.params import ExportParams
    from firnline_onnx.parity import Parity
    from firnline_onnx.rows import Drawn
    from firnline_onnx.signature import Kind

_QUALITY: Final = frozenset({"accuracy", "mean_absolute_error"})


def run(
    context: StepContext, params: ExportParams, model: Model, test: Table, registered: RegisteredModel | None = None
) -> Outputs:
    """Write the file, unless it predicts otherwise than the model.

    Raises:
        DataError: the model, or a setting of it, cannot be carried over.
        StoppedByGateError: the file predicts otherwise.
    """
    estimator = model.load()
    columns = feature_kinds(context.session, test.name, model.features)
    kinds: dict[str, Kind] = {name: kind for name, (kind, _) in columns.items()}
    converted = convert(estimator, model, kinds)
    drawn = draw_rows(context.session, test.name, columns, model.target, rows=params.rows, seed=params.seed)
    context.progress("comparing the file with the model", len(drawn.features))
    comparison = Comparison(
        estimator=estimator,
        model=model,
        content=converted.proto.SerializeToString(),
        kinds=kinds,
        missing_text=MISSING_TEXT,
        tolerance=params.tolerance,
    )
    parity = compare(
        comparison,
        drawn.features,
        converted.ties,
        shown=params.shown_rows,
        seed=params.seed,
        is_cancelled=context.is_cancelled,
    )
    refuse_difference(parity, params.tolerance, where=f"stage {context.stage}")
    known = registered_facts(context, registered) if registered is not None else {}
    values = _metrics(parity)
    signature = _signature(context, params, model, kinds, converted, parity, known, registered)
    folder = context.directory / "onnx"
    digest = write_files(folder, converted, signature)
    values |= _quantised(folder, comparison, drawn, converted, signature) if params.quantised else {}
    if params.target is not None:
        write_deployment(folder, signature, params.target)
    if registered is not None:
        note_export(context, registered, {"sha256": digest, "key": context.key, "parity": values})
    return {
        "files": Files(path=folder),
        "metrics": Metrics(values={**values, "megabytes": _megabytes(folder)}),
        "report": _report(model, signature, parity, digest, params, values),
    }


def _quantised(
    folder: Path, comparison: Comparison, drawn: Drawn, converted: Converted, signature: Signature
) -> dict[str, float]:
    """Write the smaller variant and return what it loses."""
    from firnline_onnx.quantised import measure_loss, quantise
    from firnline_onnx.runtime import answer, open_session, tensors

    smaller = quantise(converted.proto)
    del smaller.metadata_props[:]
    inputs = tensors(drawn.features, comparison.kinds, comparison.missing_text)
    said = answer(open_session(smaller.SerializeToString()), inputs, comparison.model.task)
    loss = measure_loss(comparison.model, comparison.native(drawn.features), said, drawn.labels)
    measured = {
        "quantised_mean_difference": loss.difference,
        "quantised_label_mismatches": loss.flipped * len(said),
    }
    if loss.before is not None and loss.after is not None:
        name = "mean_absolute_error" if comparison.model.task == "regression" else "accuracy"
        measured |= {f"{name}": loss.before, f"quantised_{name}": loss.after}
    parity = {**signature.parity, **measured}
    write_files(folder / "quantised", replace(converted, proto=smaller), replace(signature, parity=parity))
    return {**measured, "quantised_megabytes": _megabytes(folder / "quantised")}


def _megabytes(folder: Path) -> float:
    return (folder / MODEL_FILE).stat().st_size / 1e6


def _signature(
    context: StepContext,
    params: ExportParams,
    model: Model,
    kinds: dict[str, Kind],
    converted: Converted,
    parity: Parity,
    known: dict[str, Any],
    registered: RegisteredModel | None,
) -> Signature:
    inputs = tuple(
        Input(
            name=name,
            kind=kinds[name],
            nullable=name not in parity.refuses_missing,
            categories=converted.closed.get(name, ()),
        )
        for name in model.features
    )
    facts = {
        "run_id": context.run_id,
        "pipeline": context.pipeline,
        "key": context.key,
        "data_version": str(known.get("data_version", "")),
        "feature_version": str(known.get("feature_version", "")),
        "firnline": metadata.version("firnline"),
        "python": python_version(),
        "onnxruntime": metadata.version("onnxruntime"),
        model.framework: str(importlib.import_module(model.framework).__version__),
    }
    return Signature(
        name=registered.name if registered is not None else f"{context.pipeline}.{model.target}",
        version=registered.version if registered is not None else context.input_keys.get("model", context.key),
        task=model.task,
        target=model.target,
        classes=model.classes,
        inputs=inputs,
        missing_text=MISSING_TEXT,
        threshold=params.threshold,
        facts=facts,
        metrics={name: float(value) for name, value in known.get("metrics", {}).items()},
        parity=_metrics(parity),
    )


def _metrics(parity: Parity) -> dict[str, float]:
    return {
        "rows": float(parity.rows),
        "hard_rows": float(parity.hard),
        "max_difference": parity.largest,
        "label_mismatches": float(parity.flipped),
    }


def write_files(folder: Path, converted: Converted, signature: Signature) -> str:
    """Write model and signature into a new folder; return the model's SHA-256."""
    from onnx import checker

    folder.mkdir()
    for name, value in signature.metadata().items():
        converted.proto.metadata_props.add(key=name, value=value)
    checker.check_model(converted.proto)
    content = converted.proto.SerializeToString()
    (folder / MODEL_FILE).write_bytes(content)
    (folder / SIGNATURE_FILE).write_text(json.dumps(signature.to_json(), indent=2) + "\n", encoding="utf-8")
    return hashlib.sha256(content).hexdigest()


def _report(
    model: Model,
    signature: Signature,
    parity: Parity,
    digest: str,
    params: ExportParams,
    values: Mapping[str, float],
) -> Report:
    worst = tuple(
        (
            row.what,
            ", ".join(f"{value:.6g}" for value in row.native),
            ", ".join(f"{value:.6g}" for value in row.exported),
            f"{row.difference:.2g}",
            shown_values(row.values),
        )
        for row in parity.worst
    )
    inputs = tuple(
        (
            given.name,
            given.kind,
            "yes" if given.nullable else "no",
            f"{len(given.categories)} only" if given.categories else "any",
        )
        for given in signature.inputs
    )
    classes = model.task != "regression"
    story = (
        f"{signature.name} version {signature.version}, {model.framework}, as one ONNX file (sha256 {digest[:16]}…). "
        f"Asked about {parity.rows:,} rows of the table and {parity.hard:,} rows made to be hard (missing values, "
        f"unseen categories, extreme values, values at thresholds), file and model differ by at most "
        f"{parity.largest:.2g}{'' if classes else ' of the amount'}; {params.tolerance:g} is allowed. "
        f"{'No row has another class.' if classes else ''}"
    )
    variant = tuple((name, value) for name, value in values.items() if "quantised" in name or name in _QUALITY)
    return Report(
        title=f"Exported to predict {model.target}",
        sections=(
            Text(body=story),
            Grid(title="Rows that differ most", columns=("row", "model", "file", "difference", "values"), rows=worst),
            Grid(title="Inputs", columns=("input", "kind", "may be NULL", "categories"), rows=inputs),
            *((Grid(title="Quantised variant", columns=("measure", "value"), rows=variant),) if variant else ()),
        ),
    )
