"""The trainer's own process: it goes on after kill -9, survives a lost rank, stops with its owner."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from firnline.errors import DataError, InterruptedRunError, TransientError
from firnline.testing import step_context
from firnline_torch import checkpoints
from firnline_torch.job import CHECKPOINT_FILE, FACTS_FILE, PROGRESS_FILE, RESULT_FILE
from firnline_torch.supervisor import OWNER_VARIABLE, command, owned, supervise
from tests.torch.world import exported, features_of, job, people

# One step takes long enough to be met in the middle: wide layers, a checkpoint at every third step.
SLOW: dict[str, Any] = {"hidden": (512, 512), "epochs": 4, "checkpoint_every": 3, "dropout": 0.2}


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """Return the weights in the last checkpoint."""
    state = checkpoints.load(folder / CHECKPOINT_FILE, "key")
    assert state is not None
    assert state["finished"]
    found: dict[str, torch.Tensor] = state["network"]
    return found


def train_alone(folder: Path, processes: int = 1) -> None:
    """Carry the order out as a user on another machine would."""
    done = subprocess.run(command(folder, processes), capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr


def started(folder: Path, processes: int = 1, **environment: str) -> subprocess.Popen[bytes]:
    """Start a trainer and wait for its first checkpoint."""
    process = subprocess.Popen(
        command(folder, processes),
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(lambda: (folder / CHECKPOINT_FILE).exists())
    return process


def wait_for(happened: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something has happened."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_it_goes_on_after_kill_where_it_was(tmp_path: Path) -> None:
    whole, killed = exported(tmp_path / "whole", **SLOW), exported(tmp_path / "killed", **SLOW)
    train_alone(whole)
    process = started(killed)
    process.send_signal(signal.SIGKILL)
    process.wait()
    state = checkpoints.load(killed / CHECKPOINT_FILE, "key")
    assert state is not None
    assert not state["finished"]
    before = state["epoch"] * 16 + state["step"]
    assert before > 0
    (killed / PROGRESS_FILE).unlink(missing_ok=True)
    train_alone(killed)
    lines = [json.loads(line) for line in (killed / PROGRESS_FILE).read_text().splitlines()]
    assert lines[0]["rows"] > before * 128 - 128  # it did not begin anew
    one, other = weights(whole), weights(killed)
    assert all((one[name] == other[name]).all() for name in one)
    assert json.loads((whole / FACTS_FILE).read_text()) == json.loads((killed / FACTS_FILE).read_text())


def test_a_damaged_or_foreign_checkpoint_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / CHECKPOINT_FILE
    assert checkpoints.load(path, "key") is None
    checkpoints.save(path, {"key": "another"})
    assert checkpoints.load(path, "key") is None
    path.write_bytes(path.read_bytes()[:100])
    assert checkpoints.load(path, "another") is None


@pytest.mark.parametrize("class_weight", ["none", "balanced"])
def test_two_processes_learn_what_one_learns(tmp_path: Path, class_weight: str) -> None:
    params = {"dropout": 0.0, "epochs": 3, "class_weight": class_weight}
    one, two = exported(tmp_path / "one", **params), exported(tmp_path / "two", **params)
    train_alone(one)
    train_alone(two, processes=2)
    alone, together = weights(one), weights(two)
    for name in alone:
        torch.testing.assert_close(together[name], alone[name], rtol=1e-3, atol=1e-4)
    losses = [json.loads((folder / FACTS_FILE).read_text())["history"] for folder in (one, two)]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)


def ranks(folder: Path) -> list[int]:
    """Return the process ids of the trainers under torchrun that work on a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if (
                os.fsencode(folder) in words
                and b"firnline_torch.entry" in words
                and b"torch.distributed.run" not in words
            ):
                found.append(int(entry.name))
    return found


def test_a_lost_rank_is_survived(tmp_path: Path) -> None:
    """One of two processes dies of SIGKILL; the result is that of a training nobody disturbed."""
    whole, folder = exported(tmp_path / "whole", **SLOW), exported(tmp_path / "lost", **SLOW)
    context = step_context(tmp_path, stage="train")
    with owned(whole) as token:
        supervise(context, whole, token, processes=2, restarts=1)
    victims = []

    def kill_one() -> None:
        wait_for(lambda: (folder / CHECKPOINT_FILE).exists())
        victims.extend(ranks(folder))
        os.kill(victims[-1], signal.SIGKILL)

    killer = threading.Thread(target=kill_one)
    killer.start()
    with owned(folder) as token:
        supervise(context, folder, token, processes=2, restarts=1)
    killer.join()
    assert len(victims) == 2
    one, other = weights(whole), weights(folder)
    assert all((one[name] == other[name]).all() for name in one)
    wait_for(lambda: not ranks(folder), seconds=10)


def test_restarts_have_an_end(tmp_path: Path) -> None:
    """A network that kills its process: the trainer is started twice, and the error says of what it died."""
    project, folder = tmp_path / "project", exported(tmp_path / "job")
    context = step_context(tmp_path, stage="train")
    (project / "deadly.py").write_text(
        "import os\ndef Net(**_):\n    print('so it ends')\n    os.kill(os.getpid(), 9)\n"
    )
    job("binary", {"model": "deadly:Net"}, project=str(project)).write(folder)
    with owned(folder) as token, pytest.raises(TransientError, match="lost 2 times, last with SIGKILL: so it ends"):
        supervise(context, folder, token, processes=1, restarts=1)
    assert (folder / "trainer.log").read_text().count("so it ends") == 2


def test_damaged_rows_are_told_not_retried(tmp_path: Path) -> None:
    folder = exported(tmp_path / "job")
    (folder / "train" / "data_0.parquet").write_bytes(b"PAR1 no more")
    with owned(folder) as token, pytest.raises(DataError, match="damaged file"):
        supervise(step_context(tmp_path, stage="train"), folder, token, processes=1, restarts=1)


def test_cancelling_ends_every_process(tmp_path: Path) -> None:
    folder = exported(tmp_path / "job", **(SLOW | {"epochs": 1_000}))
    context = step_context(tmp_path, stage="train", is_cancelled=lambda: (folder / CHECKPOINT_FILE).exists())
    with owned(folder) as token, pytest.raises(InterruptedRunError, match="checkpoint is kept"):
        supervise(context, folder, token, processes=2, restarts=1)
    assert ranks(folder) == []


def test_a_trainer_ends_with_its_owner(tmp_path: Path) -> None:
    """Whoever started it was killed: nothing trains on, and the next run may use the folder."""
    folder = exported(tmp_path / "job", **(SLOW | {"epochs": 1_000}))
    with owned(folder) as token:
        process = started(folder, **{OWNER_VARIABLE: token})
        with pytest.raises(TransientError, match="another run"), owned(folder):
            pass
        assert process.poll() is None
    assert process.wait(20) == 70


def test_a_network_of_ones_own(tmp_path: Path) -> None:
    """It is imported from the project, and travels with the model to where no such module is."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "acme_networks.py").write_text(
        "import torch\n"
        "class Plain(torch.nn.Module):\n"
        "    def __init__(self, *, numbers, cardinalities, outputs):\n"
        "        super().__init__()\n"
        "        self.embed = torch.nn.Embedding(cardinalities[0], 3)\n"
        "        self.line = torch.nn.Linear(numbers + 3, outputs)\n"
        "    def forward(self, numbers, codes):\n"
        "        return self.line(torch.cat([numbers, self.embed(codes[:, 0])], dim=1))\n"
    )
    folder = exported(tmp_path / "job")
    job("binary", {"model": "acme_networks:Plain", "epochs": 2}, project=str(project)).write(folder)
    train_alone(folder)
    frame = tmp_path / "frame.pkl"
    features_of(people(20, seed=9)).to_pickle(frame)
    pack = (
        "import sys, pickle, cloudpickle; sys.path.insert(0, sys.argv[1]); "
        "model = pickle.load(open(sys.argv[2], 'rb')); cloudpickle.dump(model, open(sys.argv[3], 'wb'))"
    )
    ask = (
        "import sys, pandas, pickle; model = pickle.load(open(sys.argv[1], 'rb')); "
        "print(model.predict(pandas.read_pickle(sys.argv[2])))"
    )
    packed = str(tmp_path / "packed")
    for words in ([pack, str(project), str(folder / RESULT_FILE), packed], [ask, packed, str(frame)]):
        done = subprocess.run([sys.executable, "-c", *words], capture_output=True, text=True, timeout=100, check=False)
        assert done.returncode == 0, done.stderr
    assert set(done.stdout) <= set("[01 ]\n")


def test_early_stopping_keeps_the_best_epoch(tmp_path: Path) -> None:
    folder = exported(tmp_path / "job", rows=200, epochs=200, patience=2, learning_rate=0.05, hidden=(64, 64))
    train_alone(folder)
    facts = json.loads((folder / FACTS_FILE).read_text())
    losses = [row[1] for row in facts["history"]]
    assert len(losses) < 200
    assert facts["best_epoch"] == int(np.argmin(losses)) == len(losses) - 3
