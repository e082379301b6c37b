"""What a step is handed beside its params and its inputs."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firnline.domain.artifact import Value

if TYPE_CHECKING:
    from snowflake.snowpark import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class StepContext:
    """One stage's surroundings during one attempt.

    Attributes:
        stage: the stage's name in the pipeline.
        run_id: the run that executes it.
        pipeline: the pipeline's name.
        key: the stage's content key: the same key means the same output.
        input_keys: port → key of the stage that made the input; the identity of data and features.
        attempt: unique for this attempt; part of the names of what it writes.
        directory: an empty folder for output files. Seen by others only if the stage finishes.
        project: the project folder; relative paths in params are relative to it.
        schema: the fully qualified schema for tables on the platform ("" when the step uses no platform).
        logger: writes to the stage's own log file.
    """

    stage: str
    run_id: str
    pipeline: str
    key: str
    input_keys: Mapping[str, str]
    attempt: str
    directory: Path
    project: Path
    schema: str
    logger: logging.Logger
    open_session: Callable[[], Session] = field(repr=False)
    claim: Callable[[str], None] = field(default=lambda _: None, repr=False)
    report: Callable[[str, int | None], None] = field(repr=False)
    is_cancelled: Callable[[], bool] = field(repr=False)
    tell_metrics: Callable[[int, Mapping[str, float]], None] = field(default=lambda _, __: None, repr=False)
    ask_run: Callable[[tuple[str, ...], str], None] = field(default=lambda *_: None, repr=False)

    @property
    def session(self) -> Session:
        """The stage's Snowpark session, opened at first use. Steps that run in a process have none."""
        return self.open_session()

    def table_name(self, port: str = "table") -> str:
        """Return a fresh, fully qualified name for the table of an output port.

        The name is of this attempt alone; readers get to know it only when the stage has finished. If the attempt
        fails or is killed, the table is dropped; if a gate stops it, the table stays.
        """
        name = f"{self.schema}.{_identifier(self.stage)}_{_identifier(port)}_{self.attempt.upper()}"
        self.claim(name)
        return name

    def save(self, value: Any, name: str = "value.pkl") -> Value:
        """Pickle a Python object into the output folder."""
        path = self.directory / name
        with path.open("wb") as file:
            pickle.dump(value, file, protocol=pickle.HIGHEST_PROTOCOL)
        return Value(path=path)

    def progress(self, message: str, rows: int | None = None) -> None:
        """Tell the user how far the stage is; ``rows`` counts what was handled so far."""
        self.report(message, rows)

    def measured(self, step: int, **metrics: float) -> None:
        """Tell how good the result is so far, for learning curves and for searches that prune.

        Args:
            step: the number of epochs, rounds or the like that are done; each is told once, in rising order.
            metrics: name → value after this step.
        """
        self.tell_metrics(step, {name: float(value) for name, value in metrics.items()})

    def request_run(self, overrides: Sequence[str], reason: str) -> None:
        """Ask for another run of this project, which starts when this one has ended, whatever becomes of this stage.

        Both records have the reason. None is started if this run is interrupted, stopped by a guard, a job of a
        multirun, or was asked for by a run itself.
        """
        self.ask_run(tuple(overrides), reason)


def _identifier(name: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in name).upper()
