"""Rank the jobs of a multirun and tell in what they differ: a pure function that all views of a sweep share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from firnline.domain.record import RunRecord

Direction: TypeAlias = Literal["maximize", "minimize"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One job of a multirun.

    Attributes:
        record: the job's run.
        rank: 1 for the best; None if the job has no value of the metric.
        value: the metric's value.
        choices: the overrides in which the jobs differ: config path → value as it was written.
    """

    record: RunRecord
    rank: int | None
    value: float | None
    choices: Mapping[str, str]

    @property
    def failed(self) -> bool:
        """Whether the job ended without finishing."""
        return self.record.status not in {"finished", "pruned", "running"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaderboard:
    """A multirun's jobs, best first.

    Attributes:
        entries: ranked jobs first, then the others in the order of their numbers.
        metric: the full name of the metric, ``stage.name``; None if the jobs are not ranked.
        direction: what is better.
        varied: the config paths in which the jobs differ, in the order of first mention.
        metrics: the names of all metrics, the ranking one first.
        shared: the overrides that all jobs have in common.
        note: why the jobs are not ranked, in one sentence; empty if they are.
    """

    entries: tuple[Entry, ...]
    metric: str | None
    direction: Direction
    varied: tuple[str, ...]
    metrics: tuple[str, ...]
    shared: tuple[str, ...] = ()
    note: str = ""

    @property
    def best(self) -> Entry | None:
        """The first of the ranking; None if there is no ranking."""
        return self.entries[0] if self.entries and self.entries[0].rank == 1 else None


def rank(records: Sequence[RunRecord], *, metric: str | None = None, direction: Direction = "maximize") -> Leaderboard:
    """Return the jobs ranked by a metric; ties share a rank, NaN and missing values are unranked.

    Args:
        records: the runs of one multirun.
        metric: ``stage.name``, or ``name`` alone if only one stage has it; None leaves the jobs in their order.
        direction: what is better.
    """
    jobs = sorted(records, key=lambda record: (record.job is None, record.job or 0, record.run_id))
    names = _most_telling_first(jobs)
    chosen, note = _resolve(metric, names)
    values = {record.run_id: _value(record, chosen) for record in jobs}
    choices, varied, shared = _choices(jobs)
    sign = -1.0 if direction == "maximize" else 1.0
    known = sorted(sign * value for value in values.values() if value is not None)
    ranks = {run: known.index(sign * value) + 1 if value is not None else None for run, value in values.items()}
    entries = [
        Entry(record=record, rank=ranks[record.run_id], value=values[record.run_id], choices=choices[record.run_id])
        for record in jobs
    ]
    entries.sort(key=lambda entry: (entry.rank is None, entry.rank or 0))
    first = (chosen,) if chosen else ()
    return Leaderboard(
        entries=tuple(entries),
        metric=chosen,
        direction=direction,
        varied=varied,
        metrics=first + tuple(name for name in names if name != chosen),
        shared=shared,
        note=note,
    )


def _most_telling_first(jobs: Sequence[RunRecord]) -> tuple[str, ...]:
    """Return the names of all metrics: those in which the jobs differ first, and of these the last stages' first."""
    names = tuple(dict.fromkeys(name for record in jobs for name in record.metrics))
    stages = tuple(dict.fromkeys(stage for record in jobs for stage in record.stages))
    place = {stage: number for number, stage in enumerate(stages)}

    def order(name: str) -> tuple[bool, int]:
        same = len({record.metrics.get(name) for record in jobs}) == 1
        return same, -place.get(name.partition(".")[0], 0)

    return tuple(sorted(names, key=order))


def _resolve(metric: str | None, names: Sequence[str]) -> tuple[str | None, str]:
    if metric is None:
        return None, "no metric to rank by was given"
    if metric in names:
        return metric, ""
    fitting = [name for name in names if name.endswith(f".{metric}")]
    if len(fitting) == 1:
        return fitting[0], ""
    if fitting:
        return None, f"the metric {metric!r} is ambiguous: {', '.join(fitting)}"
    return None, f"no job has the metric {metric!r}"


def _value(record: RunRecord, metric: str | None) -> float | None:
    value = record.metrics.get(metric) if metric is not None else None
    # NaN is the one value that differs from itself: it can be neither better nor worse.
    return value if value is not None and value == value else None


def _choices(jobs: Sequence[RunRecord]) -> tuple[dict[str, dict[str, str]], tuple[str, ...], tuple[str, ...]]:
    parsed = {record.run_id: _overrides(record.overrides) for record in jobs}
    paths = list(dict.fromkeys(path for overrides in parsed.values() for path in overrides))
    varied = tuple(path for path in paths if len({overrides.get(path) for overrides in parsed.values()}) > 1)
    choices = {
        run: {path: overrides[path] for path in varied if path in overrides} for run, overrides in parsed.items()
    }
    every = next(iter(parsed.values()), {})
    shared = tuple(f"{path}={value}" for path, value in every.items() if path not in varied)
    return choices, varied, shared


def _overrides(overrides: Sequence[str]) -> dict[str, str]:
    found = {}
    for override in overrides:
        path, equals, value = override.partition("=")
        found[path.lstrip("+")] = value if equals else "(removed)"
    return found
