"""What this plugin offers. Light: onnx, onnxruntime and the converters are imported by the step, at first use."""

from __future__ import annotations

from typing import Final

from firnline.domain import Files, Metrics, Model, Port, RegisteredModel, Report, StepSpec, Table
from firnline.hooks.markers import hookimpl
from firnline_onnx.params import ExportParams

FIRNLINE_API = ">=1,<2"

STEPS: Final = (
    StepSpec(
        id="export.onnx",
        run="firnline_onnx.export:run",
        summary="Write the model as one ONNX file that is seen to predict the same, hard rows included.",
        params=ExportParams,
        inputs={
            "model": Port(kind=Model, description="A scikit-learn pipeline, XGBoost, LightGBM or torch model."),
            "test": Port(kind=Table, description="Rows on which the file and the model are compared."),
            "registered": Port(
                kind=RegisteredModel, optional=True, description="The version whose name and facts the file carries."
            ),
        },
        outputs={
            "files": Port(kind=Files, description="model.onnx and signature.json: what `firnline serve` serves."),
            "metrics": Port(kind=Metrics, description="Rows compared, largest difference, labels that differ."),
            "report": Port(kind=Report, description="The parity check, its worst rows, the inputs of the file."),
        },
        platform=True,
        modules=("snowflake.snowpark", "onnx", "onnxruntime", "skl2onnx", "pandas"),
        extra="onnx",
    ),
)


@hookimpl
def firnline_steps() -> tuple[StepSpec, ...]:
    """Offer the exporter."""
    return STEPS
