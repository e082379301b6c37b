"""The decision as a reader of the run's report sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firnline.domain import Grid, Report, Text
from firnline_snowpark.evaluate.wording import legend, number

if TYPE_CHECKING:
    from firnline.domain import Metrics
    from firnline_snowpark.promote.comparison import Comparison
    from firnline_snowpark.promote.history import Decision
    from firnline_snowpark.promote.params import ChampionParams


def promotion_report(
    model: str,
    name: str,
    params: ChampionParams,
    decision: Decision | None,
    found: Comparison | None,
    evaluated: Metrics | None,
) -> Report:
    """Tell who holds the alias now, and by which numbers.

    Args:
        model: the model's name.
        name: the version that has the alias.
        params: of the stage.
        decision: None where it had the alias already.
        found: None without a comparison.
        evaluated: what the evaluation of this run measured.
    """
    title = f"{name} is {params.alias} of {model}"
    if decision is None:
        return Report(title=title, sections=(Text(body="It had the alias already; there was nothing to decide."),))
    previous = f" in place of {decision.previous}" if decision.previous else ""
    story = f"Version {name} has become {params.alias}{previous} ({decision.verdict}): {decision.reason}."
    if decision.note:
        story += f" Note: {decision.note}"
    if found is None:
        return Report(title=title, sections=(Text(body=story),))
    if found.rows < found.of_rows:
        story += f" {found.rows:,} of {found.of_rows:,} labelled rows were compared, chosen by hash."
    slices = (_slices(found, params),) if found.slices else ()
    return Report(title=title, sections=(Text(body=story), _numbers(found, params, evaluated), *slices))


def _numbers(found: Comparison, params: ChampionParams, evaluated: Metrics | None) -> Grid:
    low, high = found.interval
    test = f"below {params.significance:g}" if params.significance is not None else "not asked for"
    lines = [
        (f"{legend(found.metric)} of the candidate", number(found.candidate), ""),
        (f"{legend(found.metric)} of the version in production", number(found.production), ""),
        ("better by", f"{found.gain:.4g}", f"at least {params.margin:g}, and more than 0"),
        ("95 % interval of that", f"{low:.4g} to {high:.4g}", ""),
        ("p (paired resamples without a gain)", f"{found.p:.3g}", test),
        ("rows", f"{found.rows:,}", ""),
    ]
    if evaluated is not None and found.metric in evaluated.values:
        lines.append((f"{legend(found.metric)} by this run's evaluation", number(evaluated.values[found.metric]), ""))
    return Grid(title="The comparison", columns=("what", "value", "needed"), rows=tuple(lines))


def _slices(found: Comparison, params: ChampionParams) -> Grid:
    rows = tuple(
        (
            part.column,
            part.value,
            f"{part.rows:,}",
            number(part.candidate),
            number(part.production),
            f"{part.gain:.4g}",
        )
        for part in found.slices
    )
    return Grid(
        title=f"{legend(found.metric)} by slice; none may lose more than {params.slice_margin:g}",
        columns=("column", "value", "rows", "candidate", "production", "better by"),
        rows=rows,
    )
