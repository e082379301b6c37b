"""The folder of a multirun in the store: what was asked for, the logs of its jobs, and whether it shall go on."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from firnline.config import Composed
from firnline.errors import ConfigError, FirnlineError, UsageError

INTERRUPTED: Final = "interrupted"
OUT_OF_BUDGET: Final = "budget: "  # begins the reason of such a stop
_FACTS: Final = "sweep.json"
_STOP: Final = "stop"
_FAILED: Final = "failed"
_NOT_STARTED: Final = "not_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepFacts:
    """What a multirun was asked for: enough to go on with it.

    Attributes:
        sweep_id: its identity.
        started: seconds since the epoch.
        overrides: the overrides, as they were typed.
        flags: Hydra's flags.
        jobs: the overrides of each job; None if the sweeper decides on them as it goes.
        options: ``only``, ``start`` and ``no_cache`` of the command.
        sweep: the node ``sweep`` of the configuration.
    """

    sweep_id: str
    started: float
    overrides: tuple[str, ...]
    flags: tuple[str, ...]
    jobs: tuple[tuple[str, ...], ...] | None
    options: Mapping[str, Any]
    sweep: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotStarted:
    """A job of a multirun without a result: its configuration was wrong, a guard refused it, or its worker was killed.

    Attributes:
        job: the job's number.
        overrides: what it was asked to do.
        message: why it has none.
    """

    job: int
    overrides: tuple[str, ...]
    message: str


class SweepFolder:
    """The folder of one multirun. Its processes share it, so everything here is one whole file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of(cls, project: Path, data: Mapping[str, Any], sweep_id: str) -> SweepFolder:
        """Return the folder in the store, wherever the configuration has that."""
        node = data.get("store")
        path = node.get("path") if isinstance(node, Mapping) else None
        return cls(project / str(path or ".firnline") / "sweeps" / sweep_id)

    @property
    def store(self) -> Path:
        """The store's folder."""
        return self.path.parents[1]

    def create(self, facts: SweepFacts) -> None:
        """Make the folder; FileExistsError if another multirun has it."""
        self.path.mkdir(parents=True)
        _write(self.path / _FACTS, asdict(facts))

    def facts(self) -> SweepFacts:
        """Return what the multirun was asked for.

        Raises:
            UsageError: there is no such multirun, or its folder is damaged.
        """
        try:
            data = json.loads((self.path / _FACTS).read_text("utf-8"))
            jobs = data["jobs"]
            return SweepFacts(
                sweep_id=data["sweep_id"],
                started=data["started"],
                overrides=tuple(data["overrides"]),
                flags=tuple(data["flags"]),
                jobs=tuple(map(tuple, jobs)) if jobs is not None else None,
                options=data["options"],
                sweep=data["sweep"],
            )
        except (OSError, ValueError, KeyError) as error:
            raise UsageError(
                f"the sweep {self.path.name} cannot be read: {error}", hint="`firnline sweep list` shows all sweeps"
            ) from error

    def log(self, job: int) -> Path:
        """Return the file of a job's log; its folder is there."""
        folder = self.path / "jobs"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{job}.log"

    def stop(self, reason: str) -> None:
        """Have no further job start; the first reason counts."""
        with contextlib.suppress(FileExistsError), (self.path / _STOP).open("x", encoding="utf-8") as file:
            file.write(reason)

    @property
    def stopped(self) -> str:
        """Why no further job shall start; empty if they shall."""
        try:
            return (self.path / _STOP).read_text("utf-8") or INTERRUPTED
        except FileNotFoundError:
            return ""

    def note_failed(self, job: int, sweep: Mapping[str, Any]) -> None:
        """Note that a job failed, and stop where the configuration asks for that."""
        folder = self.path / _FAILED
        folder.mkdir(parents=True, exist_ok=True)
        (folder / str(job)).touch()
        limit = sweep.get("max_failures")
        if sweep.get("on_failure") == "stop":
            self.stop(f"job {job} failed, and sweep.on_failure=stop")
        elif limit is not None and len(list(folder.iterdir())) >= limit:
            self.stop(f"{limit} jobs failed, and sweep.max_failures={limit}")

    def note_not_started(self, composed: Composed, error: FirnlineError) -> None:
        """Leave a note for the end of the multirun, which runs in another process than the job may."""
        told = [f"{p.path}: {p.message}" for p in error.problems] if isinstance(error, ConfigError) else [error.message]
        self.note_without_result(composed, "; ".join(told))

    def note_without_result(self, composed: Composed, message: str) -> None:
        """Leave a note that a job came to no end of its own: its worker was killed, or the budget is used up."""
        self._note(NotStarted(job=composed.job or 0, overrides=composed.overrides, message=message))

    def _note(self, note: NotStarted) -> None:
        folder = self.path / _NOT_STARTED
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / f"{note.job}.json", asdict(note))

    def not_started(self) -> list[NotStarted]:
        """Return the jobs that never became runs, or were lost."""
        notes = [json.loads(file.read_text("utf-8")) for file in (self.path / _NOT_STARTED).glob("*.json")]
        found = [NotStarted(job=n["job"], overrides=tuple(n["overrides"]), message=n["message"]) for n in notes]
        return sorted(found, key=lambda note: note.job)

    def go_on(self) -> None:
        """Forget what failed or stopped it before, since it is resumed."""
        (self.path / _STOP).unlink(missing_ok=True)
        for name in (_FAILED, _NOT_STARTED):
            shutil.rmtree(self.path / name, ignore_errors=True)


def find_sweeps(store: Path) -> list[SweepFolder]:
    """Return the multiruns of a store, newest first."""
    found = [SweepFolder(file.parent) for file in (store / "sweeps").glob(f"*/{_FACTS}")]
    return sorted(found, key=lambda folder: folder.facts().started, reverse=True)


def find_sweep(store: Path, reference: str) -> SweepFolder:
    """Return the multirun that is meant by its id, the start of its id, or ``last``.

    Raises:
        UsageError: no multirun, or several, are meant.
    """
    sweeps = find_sweeps(store)
    meant = sweeps[:1] if reference == "last" else [s for s in sweeps if s.path.name.startswith(reference)]
    exact = [folder for folder in meant if folder.path.name == reference]
    if len(exact or meant) == 1:
        return (exact or meant)[0]
    if not meant:
        raise UsageError(f"there is no sweep {reference!r} in {store}", hint="`firnline sweep list` shows all sweeps")
    raise UsageError(f"{reference!r} may be any of {', '.join(folder.path.name for folder in meant[:5])}")


def _write(path: Path, data: Mapping[str, Any]) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}")
    part.write_text(json.dumps(data, indent=1), "utf-8")
    part.replace(path)
