"""The training loop: whole tables as tensors on the device, batches cut from them by index.

Whatever is random in a step follows from seed, epoch, step and rank alone, so a training that was interrupted anywhere
goes on as if nothing had happened.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import nn

from firnline_torch import checkpoints
from firnline_torch.job import CHECKPOINT_FILE, PROGRESS_FILE
from firnline_torch.networks import build_network
from firnline_torch.progress import append

if TYPE_CHECKING:
    from pathlib import Path

    from firnline_torch.encoding import Encoder
    from firnline_torch.job import Job
    from firnline_torch.reading import Rows
    from firnline_torch.surroundings import Place

WARM_UP: Final = 0.05
VALIDATION_ROWS: Final = 65_536
TELL_S: Final = 1.0
STEPS: Final = 64
"""An epoch should have so many steps at least, in batches of as many rows as these two allow."""
FEWEST_ROWS: Final = 32
MOST_ROWS: Final = 4_096


@dataclass(slots=True, kw_only=True)
class Data:
    """Rows on the device."""

    numbers: torch.Tensor
    codes: torch.Tensor
    labels: torch.Tensor

    @staticmethod
    def of(rows: Rows, task: str, center: float, scale: float, device: torch.device) -> Data:
        """Bring rows to the device; amounts are standardised."""
        labels = torch.from_numpy(rows.labels)
        if task == "regression":
            labels = (labels - center) / scale
        return Data(
            numbers=torch.from_numpy(rows.numbers).to(device),
            codes=torch.from_numpy(rows.codes).to(device),
            labels=labels.to(device, torch.int64 if task == "multiclass" else torch.float32),
        )

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: torch.Tensor) -> Data:
        """Return the rows with these numbers."""
        return Data(numbers=self.numbers[index], codes=self.codes[index], labels=self.labels[index])

    def part(self, start: int, stop: int) -> Data:
        """Return rows that follow one another."""
        return Data(numbers=self.numbers[start:stop], codes=self.codes[start:stop], labels=self.labels[start:stop])


@dataclass(slots=True, kw_only=True)
class Standing:
    """How far the training is. All of it is in a checkpoint."""

    epoch: int = 0
    step: int = 0
    train_loss: float = 0.0
    best_loss: float = math.inf
    best_epoch: int = -1
    best: dict[str, torch.Tensor] | None = None
    history: list[list[float]] = field(default_factory=list)
    finished: bool = False


class Training:
    """One training, from its first step or its last checkpoint to its end."""

    def __init__(self, job: Job, encoder: Encoder, place: Place, folder: Path) -> None:
        self.job, self.params, self.place, self.folder = job, job.params, place, folder
        self.outputs = len(job.classes) if job.task == "multiclass" else 1
        torch.manual_seed(self.params["seed"])
        network = build_network(
            self.params, numbers=encoder.width, cardinalities=encoder.cardinalities, outputs=self.outputs
        )
        self.network = network.to(place.device)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=self.params["learning_rate"], weight_decay=self.params["weight_decay"]
        )
        self.standing = Standing()
        self._go_on()
        self.runner: nn.Module = self.network
        if place.world > 1:
            devices = [place.device.index] if place.device.type == "cuda" else None
            self.runner = nn.parallel.DistributedDataParallel(self.network, device_ids=devices)

    def run(self, train: Data, valid: Data | None) -> None:
        """Train until the epochs are over or the validation loss stays where it is."""
        standing = self.standing
        weights = self._class_weights(train)
        while not standing.finished:
            self._epoch(train, weights)
            loss = self._validate(valid) if valid is not None else standing.train_loss / len(train)
            standing.history.append([standing.train_loss / len(train), loss])
            self._measure(valid is not None)
            if loss < standing.best_loss or (valid is None and math.isfinite(loss)):
                standing.best_loss, standing.best_epoch = loss, standing.epoch
                standing.best = {name: value.cpu().clone() for name, value in self.network.state_dict().items()}
            waited = standing.epoch - standing.best_epoch
            standing.epoch, standing.step, standing.train_loss = standing.epoch + 1, 0, 0.0
            enough = valid is not None and waited >= self.params["patience"]
            standing.finished = self.place.any_says(enough or standing.epoch >= self.params["epochs"])
            self._save()

    def batch_size(self, rows: int) -> int:
        """Return how many rows make a step: as the params say, or by the number of rows."""
        given: int | None = self.params["batch_size"]
        if given is not None:
            return given
        wanted: int = 1 << max(0, (rows // STEPS).bit_length() - 1)
        return min(MOST_ROWS, max(FEWEST_ROWS, wanted))

    def best_network(self) -> nn.Module:
        """Return the network with the weights of the best epoch, on the CPU."""
        assert self.standing.best is not None
        self.network.load_state_dict(self.standing.best)
        return self.network.cpu().eval()

    def _epoch(self, train: Data, weights: torch.Tensor | None) -> None:
        params, place, standing = self.params, self.place, self.standing
        size = self.batch_size(len(train))
        steps = math.ceil(len(train) / size)
        order = torch.randperm(len(train), generator=torch.Generator().manual_seed(self._seed(0))).to(place.device)
        total = torch.zeros((), dtype=torch.float64, device=place.device)
        self.runner.train()
        begun, told, first = time.monotonic(), 0.0, standing.step
        while standing.step < steps:
            batch = order[standing.step * size : (standing.step + 1) * size]
            self._set_rate(standing.epoch * steps + standing.step, params["epochs"] * steps)
            total += self._step(train, batch, weights)
            standing.step += 1
            if standing.step % params["checkpoint_every"] == 0 and standing.step < steps:
                standing.train_loss += float(place.add_up(total))
                total.zero_()
                self._save()
            now = time.monotonic()
            if place.rank == 0 and now - told > TELL_S:
                told = now
                self._tell(train, (standing.step - first) * size / max(now - begun, 1e-9), done=False)
        standing.train_loss += float(place.add_up(total))
        if place.rank == 0:
            seconds = max(time.monotonic() - begun, 1e-9)
            self._tell(train, (len(train) - first * size) / seconds, done=True)

    def _step(self, train: Data, batch: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
        """Learn from one batch; return this process's share of the sum of its losses."""
        place = self.place
        mine = batch[place.rank :: place.world] if place.world > 1 else batch
        rows = train.take(mine)
        if self.params["dropout"] > 0:
            torch.manual_seed(self._seed(1 + self.standing.step * place.world + place.rank))
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(place.device.type, dtype=torch.bfloat16, enabled=place.half):
            said = self.runner(rows.numbers, rows.codes)
        losses = self._losses(said.float(), rows.labels)
        if weights is None:
            loss, share = losses.sum() / len(batch), losses.detach().sum()
        else:
            # Weighed by the whole batch, which every process knows: then the sum over processes is that of one.
            weighed = losses * weights[rows.labels.long()]
            loss, share = weighed.sum() / weights[train.labels[batch].long()].sum(), weighed.detach().sum()
        # The processes' gradients are averaged; what is wanted is their sum.
        (loss * place.world if place.world > 1 else loss).backward()
        self.optimizer.step()
        return share

    def _losses(self, said: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        if self.job.task == "multiclass":
            return nn.functional.cross_entropy(said, labels, reduction="none")
        if self.job.task == "binary":
            return nn.functional.binary_cross_entropy_with_logits(said[:, 0], labels, reduction="none")
        return (said[:, 0] - labels) ** 2

    def _validate(self, valid: Data) -> float:
        place = self.place
        total = torch.zeros((), dtype=torch.float64, device=place.device)
        self.network.eval()
        with torch.inference_mode():
            for start in range(place.rank * VALIDATION_ROWS, len(valid), place.world * VALIDATION_ROWS):
                rows = valid.part(start, start + VALIDATION_ROWS)
                with torch.autocast(place.device.type, dtype=torch.bfloat16, enabled=place.half):
                    said = self.network(rows.numbers, rows.codes)
                total += self._losses(said.float(), rows.labels).sum()
        return float(place.add_up(total)) / len(valid)

    def _class_weights(self, train: Data) -> torch.Tensor | None:
        if self.params["class_weight"] == "none" or self.job.task == "regression":
            return None
        counts = torch.bincount(train.labels.long(), minlength=len(self.job.classes)).float()
        return len(train) / (len(counts) * counts)

    def _set_rate(self, step: int, steps: int) -> None:
        if self.params["schedule"] == "constant":
            return
        warm = max(1, int(WARM_UP * steps))
        share = (step - warm) / max(1, steps - warm)
        factor = (step + 1) / warm if step < warm else 0.5 * (1 + math.cos(math.pi * share))
        for group in self.optimizer.param_groups:
            group["lr"] = self.params["learning_rate"] * factor

    def _seed(self, what: int) -> int:
        given: int = self.params["seed"]
        return (given * 1_000_003 + self.standing.epoch) * 1_000_000_007 % 2**61 + what

    def _tell(self, train: Data, speed: float, *, done: bool) -> None:
        standing = self.standing
        rows = min(standing.step * self.batch_size(len(train)), len(train))
        line: dict[str, Any] = {
            "epoch": standing.epoch + 1,
            "epochs": self.params["epochs"],
            "rows": standing.epoch * len(train) + rows,
            "rows_per_s": speed,
            "best": None if standing.best_epoch < 0 else standing.best_loss,
            "done": done,
        }
        append(self.folder / PROGRESS_FILE, line)

    def _measure(self, validated: bool) -> None:
        """Tell the losses after an epoch."""
        if self.place.rank == 0:
            train_loss, loss = self.standing.history[-1]
            metrics = {"train_loss": train_loss, **({"valid_loss": loss} if validated else {})}
            append(self.folder / PROGRESS_FILE, {"measured": metrics, "epoch": self.standing.epoch + 1})

    def _save(self) -> None:
        if self.place.rank:
            return
        standing = self.standing
        state = {name: getattr(standing, name) for name in Standing.__dataclass_fields__}
        state |= {
            "key": self.job.key,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        checkpoints.save(self.folder / CHECKPOINT_FILE, state)

    def _go_on(self) -> None:
        state = checkpoints.load(self.folder / CHECKPOINT_FILE, self.job.key)
        if state is None:
            return
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.standing = Standing(**{name: state[name] for name in Standing.__dataclass_fields__})
