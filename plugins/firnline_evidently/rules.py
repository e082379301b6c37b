"""From two profiles to a verdict: which columns have drifted, by how much, and what chance alone would have done."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from firnline_evidently.measures import CHANCE, Measures, measure_categories, measure_numbers
from firnline_evidently.params import RULES
from firnline_evidently.profile import EVERYTHING, ColumnBins, ColumnCounts, Profile
from firnline_evidently.reference import slices_of, weeks_of
from firnline_evidently.verdict import ColumnVerdict, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_evidently.params import Method, MonitorParams
    from firnline_evidently.verdict import Kind

_KS_FACTOR: Final = math.sqrt(-math.log(CHANCE / 2) / 2)  # of Kolmogorov's distribution (Smirnov, 1948)
_FEWEST_WEEKS: Final = 4
_NAMED: Final = 5


def judge_columns(reference: Profile, current: Profile, params: MonitorParams) -> Verdict:
    """Compare two profiles of the same bins, column by column, for all rows and in each slice."""
    slices = [
        verdict
        for segment in slices_of(reference)
        if segment in current.counts
        for verdict in _judge_segment(reference, current, segment, params)
    ]
    columns = _judge_segment(reference, current, EVERYTHING, params)
    return Verdict(columns=_worst_first(columns), slices=_worst_first(slices))


def judge_outputs(reference: Profile, current: Profile, params: MonitorParams, kind: Kind) -> tuple[ColumnVerdict, ...]:
    """Compare what the model says, or what turned out to be true, with the same of the reference."""
    own = params.model_copy(update={"threshold": params.prediction_threshold, "usual": None})
    return tuple(replace(found, kind=kind) for found in _judge_segment(reference, current, EVERYTHING, own))


def decide(verdict: Verdict, params: MonitorParams) -> Verdict:
    """Say whether it counts as drift, and why: of the rules that are asked, those that found something."""
    found = {
        "columns": _columns_reason(verdict) if verdict.drifted_share >= params.drifted_share else "",
        "correlations": _pairs_reason(verdict),
        "predictions": _outputs_reason(verdict, "prediction", "the predictions have moved"),
        "labels": _outputs_reason(verdict, "label", "the labels have moved"),
        "performance": _performance_reason(verdict),
    }
    return replace(verdict, reasons=tuple(found[rule] for rule in RULES if rule in params.rules and found[rule]))


def _columns_reason(verdict: Verdict) -> str:
    drifted = verdict.drifted_columns
    named = _listed([found.column for found in drifted])
    return f"{len(drifted)} of {len(verdict.columns)} columns have drifted: {named}" if drifted else ""


def _pairs_reason(verdict: Verdict) -> str:
    pairs = verdict.drifted_pairs
    if not pairs:
        return ""
    worst = pairs[0]
    what = "flipped" if worst.flipped else "changed"
    more = f", and {len(pairs) - 1} more" if len(pairs) > 1 else ""
    names = f"{worst.first} and {worst.second}"
    return f"the correlation of {names} has {what} from {worst.before:.2f} to {worst.now:.2f}{more}"


def _outputs_reason(verdict: Verdict, kind: Kind, told: str) -> str:
    drifted = [found for found in verdict.predictions if found.kind == kind and found.is_drift]
    numbers = _listed([f"{found.column} by {found.value:.2f} ({found.method})" for found in drifted])
    return f"{told}: {numbers}" if drifted else ""


def _performance_reason(verdict: Verdict) -> str:
    worse = verdict.performance.worse if verdict.performance is not None else ()
    if not worse:
        return ""
    told = [
        f"{metric.name} is {metric.value:.3f}, {'below' if metric.higher_is_better else 'above'} {metric.bound:.3f}"
        for metric in worse
    ]
    return f"the model has become worse: {_listed(told)}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")


def _worst_first(verdicts: list[ColumnVerdict]) -> tuple[ColumnVerdict, ...]:
    def badness(verdict: ColumnVerdict) -> tuple[bool, float]:
        return verdict.is_drift, verdict.value / verdict.threshold

    return tuple(sorted(verdicts, key=badness, reverse=True))


def _judge_segment(reference: Profile, current: Profile, segment: str, params: MonitorParams) -> list[ColumnVerdict]:
    before, now = reference.counts[segment], current.counts[segment]
    return [
        _judge_column(column, before[column.name], now[column.name], segment, reference, params)
        for column in reference.columns
        if not segment.startswith(f"{column.name}=")  # within a slice, its own column never varies
    ]


def _judge_column(
    column: ColumnBins,
    before: ColumnCounts,
    now: ColumnCounts,
    segment: str,
    reference: Profile,
    params: MonitorParams,
) -> ColumnVerdict:
    measures = measure(column, before, now)
    method = method_for(column, params)
    value = measures.value(method)
    threshold, because = _threshold(column, before, now, method, reference, params)
    change = now.missing_share - before.missing_share
    value = 0.0 if value is None else value
    return ColumnVerdict(
        column=column.name,
        segment=segment,
        method=method,
        value=value,
        threshold=threshold,
        because=because,
        measures=measures,
        missing_change=change,
        drifted=value >= threshold,
        missing_drifted=abs(change) >= params.missing + _share_noise(before, now),
        rows=now.rows,
    )


def measure(column: ColumnBins, before: ColumnCounts, now: ColumnCounts) -> Measures:
    """Measure how far two counts of a column are apart."""
    if column.kind == "category":
        return measure_categories(before.bins, now.bins)
    return measure_numbers(
        before.bins,
        now.bins,
        fine_reference=before.fine,
        fine_current=now.fine,
        width=column.width,
        deviation=column.deviation,
    )


def method_for(column: ColumnBins, params: MonitorParams) -> Method:
    """Return the measure that decides for a column; those that need an order fall back to PSI for categories."""
    if column.kind == "number":
        return params.method
    if params.category_method is not None:
        return params.category_method
    return "psi" if params.method in {"wasserstein", "kolmogorov_smirnov"} else params.method


def _threshold(
    column: ColumnBins,
    before: ColumnCounts,
    now: ColumnCounts,
    method: Method,
    reference: Profile,
    params: MonitorParams,
) -> tuple[float, str]:
    candidates = [(params.thresholds.get(column.name, params.threshold), "configured")]
    candidates.append((chance_bound(method, before, now), f"chance alone reaches it in {CHANCE:g} of all cases"))
    if params.usual is not None:
        usual = _usual(column, method, reference)
        if usual is not None:
            candidates.append((usual * params.usual, f"{params.usual:g} times the usual week's difference"))
    return max(candidates, key=lambda candidate: candidate[0])


def _usual(column: ColumnBins, method: Method, reference: Profile) -> float | None:
    """Return the median difference of the reference's weeks from all of it; None with too few weeks to tell."""
    whole = reference.counts[EVERYTHING][column.name]
    values = [measure(column, whole, counts[column.name]).value(method) for counts in weeks_of(reference).values()]
    known = sorted(value for value in values if value is not None and math.isfinite(value))
    if len(known) < _FEWEST_WEEKS:
        return None
    middle = len(known) // 2
    return known[middle] if len(known) % 2 else (known[middle - 1] + known[middle]) / 2


def chance_bound(method: Method, before: ColumnCounts, now: ColumnCounts) -> float:
    """Return the value that two samples of one distribution exceed once in a thousand.

    For n and m rows in k bins, PSI · nm/(n+m) follows the chi-square distribution with k-1 degrees of freedom
    (Yurdakul and Naranjo, Statistical properties of the population stability index, 2020); the square of the
    Jensen-Shannon distance is PSI / 8 for small differences, Cramér's V the root of chi-square / (n+m), and the
    Kolmogorov-Smirnov distance has its own distribution, which bounds that of the Wasserstein distance here.
    """
    n, m = before.rows - before.missing, now.rows - now.missing
    filled = sum(1 for a, b in zip(before.bins, now.bins, strict=True) if a or b)
    if not n or not m or filled < 2:
        return 0.0
    from scipy.stats import chi2

    spread = (n + m) / (n * m)
    statistic = float(chi2.ppf(1 - CHANCE, filled - 1))
    match method:
        case "psi":
            return statistic * spread
        case "jensen_shannon":
            return math.sqrt(statistic * spread / 8)
        case "chi_square":
            return math.sqrt(statistic / (n + m))
        case "kolmogorov_smirnov" | "wasserstein":
            return _KS_FACTOR * math.sqrt(spread)


def _share_noise(before: ColumnCounts, now: ColumnCounts) -> float:
    """Return three standard errors of the difference of two shares."""
    if not before.rows or not now.rows:
        return 0.0
    share = (before.missing + now.missing) / (before.rows + now.rows)
    return 3 * math.sqrt(share * (1 - share) * (1 / before.rows + 1 / now.rows))
