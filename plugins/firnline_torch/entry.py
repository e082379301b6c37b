"""The trainer's own process: ``python -m firnline_torch.entry FOLDER``, alone or under torchrun.

It needs the folder alone: the exported rows and the order in it. It leaves the result there, or why there is none.
"""

from __future__ import annotations

import logging
import os
import pickle
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import torch

from firnline.errors import DataError
from firnline_torch.estimator import TorchEstimator
from firnline_torch.job import FACTS_FILE, FAILURE_FILE, RESULT_FILE, Job, write_json
from firnline_torch.loop import Data, Training
from firnline_torch.reading import encode_table, fit_encoder, read_table
from firnline_torch.surroundings import Place, take_place, watch_owner

if TYPE_CHECKING:
    from firnline_torch.encoding import Encoder


def main(folder: Path) -> int:
    """Train; return the exit code."""
    watch_owner(folder)
    job = Job.read(folder)
    if job.project:
        sys.path.insert(0, job.project)
    try:
        place = take_place(job.params)
        train(job, place, folder)
    except DataError as error:
        write_json(folder / FAILURE_FILE, {"message": error.message, "hint": error.hint})
        return 1
    if place.world > 1:
        # Nobody leaves while another may still wait for what it sent.
        torch.distributed.barrier()
    return 0


def train(job: Job, place: Place, folder: Path) -> None:
    """Read, train, and write the result.

    Raises:
        DataError: the rows or the network are no good.
    """
    torch.use_deterministic_algorithms(True, warn_only=True)
    table = read_table(folder / "train")
    if table is None:
        raise DataError(f"{folder / 'train'} holds no exported rows", hint="export them again")
    encoder = fit_encoder(job, table)
    rows = encode_table(job, encoder, table)
    del table
    held_out = read_table(folder / "valid") if job.has_validation else None
    valid = encode_table(job, encoder, held_out) if held_out is not None else None
    center = float(rows.labels.mean()) if job.task == "regression" else 0.0
    scale = (float(rows.labels.std()) or 1.0) if job.task == "regression" else 1.0
    training = Training(job, encoder, place, folder)
    on_device = Data.of(rows, job.task, center, scale, place.device)
    measured = None if valid is None or not len(valid.labels) else Data.of(valid, job.task, center, scale, place.device)
    training.run(on_device, measured)
    if training.standing.best is None:
        raise DataError("the loss was never a number", hint="a smaller learning_rate may help")
    if place.rank == 0:
        write_result(job, training, encoder, (center, scale), folder, rows=len(on_device), valid=measured is not None)


def write_result(
    job: Job,
    training: Training,
    encoder: Encoder,
    standard: tuple[float, float],
    folder: Path,
    *,
    rows: int,
    valid: bool,
) -> None:
    """Write the estimator and how the training went."""
    standing, network = training.standing, training.best_network()
    estimator = TorchEstimator(encoder, network, job.task, *standard)
    facts = {
        "history": standing.history,
        "best_epoch": standing.best_epoch,
        "best_loss": standing.best_loss,
        "rows": rows,
        "validated": valid,
        "device": str(training.place.device),
        "precision": "bfloat16" if training.place.half else "float32",
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
    }
    partial = folder / f"{RESULT_FILE}.partial"
    with partial.open("wb") as file:
        pickle.dump(estimator, file, protocol=pickle.HIGHEST_PROTOCOL)
        file.flush()
        os.fsync(file.fileno())
    write_json(folder / FACTS_FILE, facts)
    partial.replace(folder / RESULT_FILE)


def leave(code: int) -> NoReturn:
    """End this process now: all it had to say is on disk.

    The threads of torch and Arrow can abort a process that tears itself down while they still run, and torchrun would
    take that for a lost rank.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    leave(main(Path(sys.argv[1])))
