"""Compare an ONNX file with the model that it was made of, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from firnline.errors import InterruptedRunError, StoppedByGateError
from firnline_onnx.hard_rows import CATEGORY, MISSING, hard_rows
from firnline_onnx.native import native_answer
from firnline_onnx.runtime import REFUSALS, answer, open_session, tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from firnline.domain import Model
    from firnline_onnx.signature import Kind

REAL: Final = "as in the table"
_SHOWN_IN_MESSAGE: Final = 3
_SHOWN_VALUES: Final = 6
# What native libraries raise at rows that they do not take.
_NATIVE_REFUSALS: Final = (ValueError, TypeError, IndexError, RuntimeError)
# What the signature tells, so that the server refuses it before the file is asked.
_TOLD: Final = frozenset({MISSING, CATEGORY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One row on which both were asked.

    Attributes:
        what: the table's own row, or what was changed in it.
        native: what the model says; nothing where it refuses the row, and the file does not.
        exported: what the file says.
        difference: the largest of the row: of probabilities absolute, of amounts relative to their usual size.
        flipped: whether the class is another one.
        values: the row.
    """

    what: str
    native: tuple[float, ...]
    exported: tuple[float, ...]
    difference: float
    flipped: bool
    values: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """What the comparison came to.

    Attributes:
        rows: rows of the table.
        hard: rows that were made.
        largest: the largest difference.
        flipped: rows with another class.
        beyond: rows whose difference is beyond the tolerance.
        worst: the rows that differ most.
        refuses_missing: columns in which the model itself takes no missing value.
        refuses_unseen: columns in which it takes no category that it has not seen.
        refused: other hard rows that the model itself does not take, as (what, column).
    """

    rows: int
    hard: int
    largest: float
    flipped: int
    beyond: int
    worst: tuple[Difference, ...]
    refuses_missing: tuple[str, ...] = ()
    refuses_unseen: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Both sides and how they are asked."""

    estimator: Any
    model: Model
    content: bytes
    kinds: Mapping[str, Kind]
    missing_text: str
    tolerance: float

    def native(self, frame: pd.DataFrame) -> np.ndarray[Any, Any]:
        """Ask the model."""
        return native_answer(self.estimator, self.model, frame)


def compare(
    comparison: Comparison,
    frame: pd.DataFrame,
    ties: Mapping[str, Sequence[float]],
    *,
    shown: int,
    seed: int,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Parity:
    """Ask both about real and hard rows.

    Args:
        comparison: the two sides.
        frame: rows of the table, doubles with NaN and text with None.
        ties: input → values at which the model decides.
        shown: how many of the worst rows to keep.
        seed: decides which rows are changed to hard ones.
        is_cancelled: tells to stop.

    Raises:
        InterruptedRunError: it was stopped.
    """
    session = open_session(comparison.content)
    truth = comparison.native(frame)
    size = float(np.abs(truth).mean()) if comparison.model.task == "regression" else 0.0
    ask = _Ask(comparison=comparison, session=session, size=size, shown=shown)
    parts = [ask.differences(frame, REAL, truth)]
    refused: dict[str, list[str]] = {}
    for hard in hard_rows(frame, comparison.kinds, ties, seed):
        if is_cancelled():
            raise InterruptedRunError("the comparison was stopped")
        what = f"{hard.what} in {hard.column}"
        try:
            native = comparison.native(hard.rows)
        except _NATIVE_REFUSALS:
            refused.setdefault(hard.what, []).append(hard.column)
            parts += [] if hard.what in _TOLD else ask.differences_one_by_one(hard.rows, what)
            continue
        parts.append(ask.differences(hard.rows, what, native))
    worst = sorted((row for part in parts for row in part.worst), key=_badness, reverse=True)
    others = ((what, name) for what, names in refused.items() if what not in _TOLD for name in names)
    return Parity(
        rows=parts[0].rows,
        hard=sum(part.rows for part in parts[1:]),
        largest=max(part.largest for part in parts),
        flipped=sum(part.flipped for part in parts),
        beyond=sum(part.beyond for part in parts),
        worst=tuple(worst[:shown]),
        refuses_missing=tuple(refused.get(MISSING, ())),
        refuses_unseen=tuple(refused.get(CATEGORY, ())),
        refused=tuple(others),
    )


def refuse_difference(parity: Parity, tolerance: float, *, where: str) -> None:
    """Stop when the file predicts otherwise than the model.

    Raises:
        StoppedByGateError: with the worst rows.
    """
    if not parity.beyond and not parity.flipped:
        return
    worst = "; ".join(_told(row) for row in parity.worst[:_SHOWN_IN_MESSAGE])
    raise StoppedByGateError(
        f"{where}: the ONNX file predicts otherwise than the model: of {parity.rows + parity.hard:,} rows "
        f"{parity.beyond:,} differ by more than {tolerance:g} (at most {parity.largest:.3g}), "
        f"{parity.flipped:,} have another class. Worst: {worst}",
        hint="an export that is nearly right is wrong: use an encoder or estimator that can be exported "
        "(docs/how-to/export-and-serve.md), or say what difference you accept with export.params.tolerance",
    )


def shown_values(values: Mapping[str, Any], most: int = _SHOWN_VALUES) -> str:
    """Return a row as short text."""
    listed = [f"{name}={value!r}" if isinstance(value, str) else f"{name}={value}" for name, value in values.items()]
    return ", ".join(listed[:most]) + (", …" if len(listed) > most else "")


def _told(row: Difference) -> str:
    native, exported = (", ".join(f"{value:.6g}" for value in side) for side in (row.native, row.exported))
    instead = f"instead of [{native}]" if row.native else "where the model refuses to answer,"
    return f"[{exported}] {instead} for {shown_values(row.values)} ({row.what})"


def _badness(row: Difference) -> tuple[bool, float]:
    return row.flipped, row.difference


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What was found in some rows."""

    rows: int
    largest: float
    flipped: int
    beyond: int
    worst: tuple[Difference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ask:
    """Both sides at work; ``size`` is the usual amount that the model predicts."""

    comparison: Comparison
    session: Any
    size: float
    shown: int

    def differences(self, frame: pd.DataFrame, what: str, native: np.ndarray[Any, Any]) -> _Part:
        """Ask the file about rows of which the model has said something."""
        exported = self._exported(frame)
        if exported.shape != native.shape:
            raise StoppedByGateError(
                f"the ONNX file answers with {exported.shape[1]} columns, the model with {native.shape[1]}"
            )
        apart = _apart(native, exported, self.comparison.model.task, self.size)
        flipped = _flipped(native, exported, self.comparison)
        order = np.lexsort((apart, flipped))[::-1][: self.shown]
        worst = tuple(
            Difference(
                what=what,
                native=tuple(native[row].tolist()),
                exported=tuple(exported[row].tolist()),
                difference=float(apart[row]),
                flipped=bool(flipped[row]),
                values=_values(frame, int(row)),
            )
            for row in order
        )
        return _Part(
            rows=len(frame),
            largest=float(apart.max()),
            flipped=int(flipped.sum()),
            beyond=int((apart > self.comparison.tolerance).sum()),
            worst=worst,
        )

    def differences_one_by_one(self, frame: pd.DataFrame, what: str) -> list[_Part]:
        """Ask about rows of which the model refuses some: the file must refuse the same ones."""
        found: list[_Part] = []
        for place in range(len(frame)):
            row = frame.iloc[[place]]
            try:
                native = self.comparison.native(row)
            except _NATIVE_REFUSALS:
                found += self._answers_all_the_same(row, what)
                continue
            found.append(self.differences(row, what, native))
        return found

    def _answers_all_the_same(self, row: pd.DataFrame, what: str) -> list[_Part]:
        try:
            [exported] = self._exported(row)
        except REFUSALS:
            return []
        flips = self.comparison.model.task != "regression"
        difference = Difference(
            what=what,
            native=(),
            exported=tuple(exported.tolist()),
            difference=float("inf"),
            flipped=flips,
            values=_values(row, 0),
        )
        return [_Part(rows=1, largest=float("inf"), flipped=int(flips), beyond=1, worst=(difference,))]

    def _exported(self, frame: pd.DataFrame) -> np.ndarray[Any, Any]:
        inputs = tensors(frame, self.comparison.kinds, self.comparison.missing_text)
        return answer(self.session, inputs, self.comparison.model.task)


def _values(frame: pd.DataFrame, place: int) -> dict[str, Any]:
    return {str(name): frame[name].iloc[place] for name in frame.columns}


def _apart(
    native: np.ndarray[Any, Any], exported: np.ndarray[Any, Any], task: str, size: float
) -> np.ndarray[Any, Any]:
    with np.errstate(invalid="ignore", divide="ignore"):
        distance = np.abs(native - exported)
        if task == "regression":
            # An amount near zero may be the sum of large ones.
            distance = distance / np.maximum(np.abs(native), size)
    distance = np.where((native == exported) | (np.isnan(native) & np.isnan(exported)), 0.0, distance)
    # Where one side has no number, nothing is near.
    found: np.ndarray[Any, Any] = np.where(np.isnan(distance), np.inf, distance).max(axis=1)
    return found


def _flipped(
    native: np.ndarray[Any, Any], exported: np.ndarray[Any, Any], comparison: Comparison
) -> np.ndarray[Any, Any]:
    if comparison.model.task == "regression":
        return np.zeros(len(native), dtype=bool)
    ordered = np.sort(native, axis=1)
    # Two classes that are as likely but for the tolerance: either answer is right.
    tied = ordered[:, -1] - ordered[:, -2] <= 2 * comparison.tolerance
    found: np.ndarray[Any, Any] = (native.argmax(axis=1) != exported.argmax(axis=1)) & ~tied
    return found
