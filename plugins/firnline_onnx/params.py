"""What the exporter may be told. Light: imported while planning."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from firnline.domain import Params


class ExportParams(Params):
    """How exactly the ONNX file must agree with the model, and on how many rows that is seen."""

    rows: int = Field(5_000, ge=10, le=1_000_000, description="Test rows on which both are asked.")
    tolerance: float = Field(
        1e-5, gt=0, le=0.1, description="Largest difference of a probability; of an amount, relative to its size."
    )
    threshold: float = Field(
        0.5, gt=0, lt=1, description="For two classes: the probability from which on the server says the positive one."
    )
    shown_rows: int = Field(10, ge=1, le=100, description="Rows with the largest differences that the report shows.")
    quantised: bool = Field(
        default=False,
        description="Write a smaller variant of a network too, in a folder of its own; its loss is stated.",
    )
    target: Literal["docker", "sagemaker", "azureml"] | None = Field(
        None, description="Write the folder that this service makes a container of; nothing is built or sent."
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Which test rows are drawn.")
