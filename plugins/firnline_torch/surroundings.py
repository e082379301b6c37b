"""Where a trainer runs: its device, its place among the processes that share a training, its owner."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import torch

from firnline.errors import DataError
from firnline_torch.job import OWNER_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

OWNER_VARIABLE: Final = "FIRNLINE_TRAINER_OWNER"
OWNER_LOST: Final = 70
_LOOK_S: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """This process among those that share the training.

    Attributes:
        rank: its number.
        world: how many there are.
        device: on which it computes.
        half: whether it computes in bfloat16 where that is safe.
    """

    rank: int
    world: int
    device: torch.device
    half: bool

    def add_up(self, values: torch.Tensor) -> torch.Tensor:
        """Return the sum of all processes' values."""
        if self.world > 1:
            torch.distributed.all_reduce(values)
        return values

    def any_says(self, flag: bool) -> bool:
        """Tell whether any process says so: all must agree to stop, or the others wait for ever."""
        if self.world == 1:
            return flag
        said = torch.tensor(float(flag), device=self.device)
        torch.distributed.all_reduce(said, op=torch.distributed.ReduceOp.MAX)
        return bool(said.item())


def take_place(params: Mapping[str, Any]) -> Place:
    """Join the other processes, and choose the device.

    Raises:
        DataError: there is no GPU, or fewer than processes, or it lacks the precision.
    """
    rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    local = int(os.environ.get("LOCAL_RANK", "0"))
    wanted, gpus = params["device"], torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted == "cuda" and not gpus:
        raise DataError("there is no GPU here that torch can use", hint="say device=auto or device=cpu")
    use_gpu = wanted == "cuda" or (wanted == "auto" and gpus > 0)
    if use_gpu and local >= gpus:
        raise DataError(f"{gpus} GPUs are fewer than the processes", hint=f"say processes={gpus}")
    half = _half(params["precision"], use_gpu)
    if params["threads"] or world > 1:
        torch.set_num_threads(params["threads"] or max(1, (os.cpu_count() or 1) // world))
    device = torch.device("cuda", local) if use_gpu else torch.device("cpu")
    if use_gpu:
        torch.cuda.set_device(device)
    if world > 1:
        torch.distributed.init_process_group("nccl" if use_gpu else "gloo")
    return Place(rank=rank, world=world, device=device, half=half)


def _half(precision: str, use_gpu: bool) -> bool:
    able = use_gpu and torch.cuda.is_bf16_supported()
    if precision == "bfloat16" and not able:
        what = "this GPU has no bfloat16" if use_gpu else "on a CPU bfloat16 is slower than float32"
        raise DataError(what, hint="say precision=auto")
    return able and precision != "float32"


def watch_owner(folder: Path) -> None:
    """End this process when the one that started it has gone, however it went: a killed run must not train on."""
    token = os.environ.get(OWNER_VARIABLE)
    if token is not None:
        threading.Thread(target=_watch, args=(folder / OWNER_FILE, token), daemon=True).start()


def _watch(path: Path, token: str) -> None:
    while _is_owned(path, token):
        time.sleep(_LOOK_S)
    os._exit(OWNER_LOST)


def _is_owned(path: Path, token: str) -> bool:
    try:
        with path.open("r", encoding="utf-8") as file:
            if file.read() != token:
                return False
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True  # the owner holds it
    except FileNotFoundError:
        return False
    return False
