"""Rows a second of the external trainer, beside the loops one would write oneself.

All train the same network on the same rows with the same batches and optimizer, in one thread of one process: the
trainer as it is; the bare loop on tensors in memory, which nothing can be much faster than; and a DataLoader over a
Dataset of rows, of tensors or of a data frame, which most tutorials teach. They take turns, and the fastest turn of
each counts. The smaller the network, the more a slow loader shows: on a CPU a wide one hides it. Run it with
``make bench-torch``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from torch.utils.data import DataLoader, Dataset

from firnline_torch.loop import Data, Training
from firnline_torch.networks import build_network
from firnline_torch.reading import encode_table, fit_encoder, read_table
from firnline_torch.surroundings import take_place
from tests.torch.world import exported, job

if TYPE_CHECKING:
    from collections.abc import Callable

    from firnline_torch.encoding import Encoder


Row = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


class TensorRows(Dataset[Row]):
    """Rows of tensors, one at a time."""

    def __init__(self, data: Data) -> None:
        self.data = data

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return self.data.numbers[index], self.data.codes[index], self.data.labels[index]


class FrameRows(Dataset[Row]):
    """Rows of a data frame, one at a time."""

    def __init__(self, data: Data) -> None:
        self.numbers, self.codes = pd.DataFrame(data.numbers.numpy()), pd.DataFrame(data.codes.numpy())
        self.labels = pd.Series(data.labels.numpy())

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> Row:
        numbers, codes = (torch.tensor(frame.iloc[index].to_numpy()) for frame in (self.numbers, self.codes))
        return numbers, codes, torch.tensor(self.labels.iloc[index])


def main() -> None:
    """Export rows, train in three ways, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--batch", type=int, default=4_096)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for hidden in ((16,), (128, 64)):
        settings = {"hidden": hidden, "epochs": 2, "batch_size": options.batch, "checkpoint_every": 1_000}
        print(f"network {hidden}, batches of {options.batch:,} of {options.rows:,} rows")
        compare(settings, options.rows, options.turns)


def compare(settings: dict[str, Any], rows: int, turns: int) -> None:
    """Train in each way, in turns; print a line for each."""
    with tempfile.TemporaryDirectory() as name:
        folder = exported(Path(name) / "rows", rows=rows, **settings)
        order = job("binary", settings)
        table = read_table(folder / "train")
        encoder = fit_encoder(order, table)
        data = Data.of(encode_table(order, encoder, table), "binary", 0.0, 1.0, torch.device("cpu"))
        batch = settings["batch_size"]
        ways: dict[str, Callable[[], float]] = {
            "firnline": lambda: ours(Path(name), settings, encoder, data),
            "bare loop on tensors": lambda: bare(settings, encoder, data, batch),
            "DataLoader, tensors": lambda: by_row(settings, encoder, data, TensorRows(data), batch),
            "DataLoader, data frame": lambda: by_row(settings, encoder, data, FrameRows(data), batch),
        }
        best = dict.fromkeys(ways, 0.0)
        for _ in range(turns):
            for title, train in ways.items():
                best[title] = max(best[title], train())
    for title, speed in best.items():
        print(f"  {title:24} {speed:12,.0f} rows/s   firnline is {best['firnline'] / speed:6.2f} x as fast")


def ours(folder: Path, settings: dict[str, Any], encoder: Encoder, data: Data) -> float:
    """Train as ``train.torch`` does, checkpoints included; return rows a second."""
    with tempfile.TemporaryDirectory(dir=folder) as work:
        order = job("binary", settings)
        training = Training(order, encoder, take_place(order.params), Path(work))
        torch.set_num_threads(1)
        started = time.perf_counter()
        training.run(data, None)
        return float(settings["epochs"]) * len(data) / (time.perf_counter() - started)


def bare(settings: dict[str, Any], encoder: Encoder, data: Data, batch: int) -> float:
    """Cut batches from tensors by index."""

    def batches() -> Any:
        order = torch.randperm(len(data))
        for start in range(0, len(data), batch):
            index = order[start : start + batch]
            yield data.numbers[index], data.codes[index], data.labels[index]

    return _train(settings, encoder, data, batches)


def by_row(settings: dict[str, Any], encoder: Encoder, data: Data, rows: Dataset[Row], batch: int) -> float:
    """Let a DataLoader collect batches row by row."""
    return _train(settings, encoder, data, lambda: DataLoader(rows, batch_size=batch, shuffle=True))


def _train(settings: dict[str, Any], encoder: Encoder, data: Data, batches: Callable[[], Any]) -> float:
    params = job("binary", settings).params
    network = build_network(params, numbers=encoder.width, cardinalities=encoder.cardinalities, outputs=1)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-4)
    started = time.perf_counter()
    network.train()
    for _ in range(settings["epochs"]):
        for numbers, codes, labels in batches():
            optimizer.zero_grad(set_to_none=True)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(network(numbers, codes)[:, 0], labels)
            loss.backward()
            optimizer.step()
    return float(settings["epochs"]) * len(data) / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
