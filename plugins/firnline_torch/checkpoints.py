"""Checkpoints: written as a whole or not at all, read as plain tensors and numbers."""

from __future__ import annotations

import os
import pickle
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from pathlib import Path


def save(path: Path, state: dict[str, Any]) -> None:
    """Write a state; a reader sees the one before or this one."""
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def load(path: Path, key: str) -> dict[str, Any] | None:
    """Return the state of the training with this key; None if there is none, or a damaged or another one."""
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        return None
    except (RuntimeError, pickle.UnpicklingError, EOFError) as error:
        print(f"{path.name} cannot be read, the training begins anew: {error}", flush=True)  # noqa: T201 (the log)
        return None
    return state if state.get("key") == key else None
