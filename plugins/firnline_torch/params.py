"""Params of the trainer. Light: imported while planning."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from firnline.domain import Params

NETWORK = r"^(mlp|ft_transformer|[A-Za-z_][\w.]*:[A-Za-z_]\w*)$"
Width = Annotated[int, Field(ge=1, le=16_384)]


class TorchParams(Params):
    """Which columns it learns from, the network, and how it is trained."""

    target: str | None = Field(None, description="The column to predict; may be left out where a profile names it.")
    identifiers: tuple[str, ...] = Field((), description="Columns that name a row, and are no features.")
    set_aside: tuple[str, ...] = Field((), description="Further columns that are no features.")
    task: Literal["auto", "classification", "regression"] = Field(
        "auto", description="auto: as the profile says, or told by the target's type and values."
    )
    model: str = Field(
        "mlp",
        pattern=NETWORK,
        description="mlp, ft_transformer, or module:Class of a torch.nn.Module of your own.",
    )
    hidden: tuple[Width, ...] = Field((128, 64), min_length=1, description="mlp: width of each hidden layer.")
    token_width: int = Field(64, ge=8, le=1_024, description="ft_transformer: numbers that stand for a column.")
    blocks: int = Field(3, ge=1, le=24, description="ft_transformer: layers of attention.")
    heads: int = Field(8, ge=1, le=64, description="ft_transformer: heads of attention; divides token_width.")
    dropout: float = Field(0.1, ge=0, lt=1, description="Share of activations that are dropped while training.")
    categories: int = Field(
        10_000, ge=1, le=1_000_000, description="Most frequent values of a category that are told apart."
    )
    epochs: int = Field(40, ge=1, le=100_000, description="Passes over the training rows at most.")
    batch_size: int | None = Field(
        None,
        ge=1,
        le=10_000_000,
        description="Rows of a step, over all processes together; default: a power of two, 32 to 4,096, that makes at "
        "least 64 steps of an epoch where there are enough rows.",
    )
    learning_rate: float = Field(1e-3, gt=0, le=10, description="The highest learning rate.")
    schedule: Literal["cosine", "constant"] = Field(
        "cosine", description="cosine: warm up over the first 5 % of the steps, then fall to zero."
    )
    weight_decay: float = Field(1e-4, ge=0, description="Of AdamW.")
    patience: int = Field(
        8, ge=1, description="Stop after so many epochs without a better validation loss; the best one is kept."
    )
    class_weight: Literal["none", "balanced"] = Field(
        "none", description="balanced: rare classes weigh as much as frequent ones, at the price of calibration."
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="The same seed gives the same model on the same hardware.")
    max_rows: int | None = Field(None, ge=100, description="Train on a random sample of this many rows.")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: a GPU if there is one.")
    processes: int = Field(1, ge=1, le=64, description="Processes that share each batch; on GPUs, one for each.")
    threads: int = Field(0, ge=0, le=256, description="CPU threads of a process; 0: all, divided by the processes.")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="auto: bfloat16 where the GPU has it. CPUs compute in float32 only."
    )
    checkpoint_every: int = Field(
        1_000, ge=1, description="Steps between two checkpoints within an epoch; each epoch ends with one."
    )
    restarts: int = Field(2, ge=0, le=100, description="How often a lost trainer is started again.")
    work: str = Field(
        ".firnline/torch",
        min_length=1,
        description="Folder for exported rows and checkpoints, relative to the project; emptied when training is done.",
    )
