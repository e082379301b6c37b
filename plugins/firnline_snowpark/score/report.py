"""The scored table as a reader sees it: counted on the platform, with a few of its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from firnline.domain import Figure, Grid, Report, Section, Text
from firnline_snowpark.columns import quoted
from firnline_snowpark.evaluate.wording import number
from firnline_snowpark.figures import BLUE, ORANGE, draw_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from snowflake.ml.model import ModelVersion
    from snowflake.snowpark import Session

    from firnline.domain import Table
    from firnline_snowpark.register.facts import VersionFacts
    from firnline_snowpark.score.params import ScoreParams

BINS: Final = 30
MOST_CLASSES: Final = 30
SHOWN_COLUMNS: Final = 6
SHOWN_CHARACTERS: Final = 40


def score_report(
    session: Session,
    predictions: Table,
    facts: VersionFacts,
    version: ModelVersion,
    params: ScoreParams,
    kept: tuple[str, ...],
    *,
    learned: bool,
) -> Report:
    """Tell how many rows got which prediction, how the scores are spread, and which rows score highest.

    Args:
        session: where the predictions are.
        predictions: the results table.
        facts: of the version.
        version: the model version.
        params: of the stage.
        kept: columns that name a row.
        learned: whether the scored table holds the target, so that the model may have learned from some of its rows.
    """
    score = "PREDICTION" if facts.task == "regression" else "PROBABILITY"
    rows = predictions.rows or 0
    sections: list[Section] = [Text(body=_story(facts, version, predictions, params, learned=learned))]
    if facts.classes and rows:
        sections.append(_predicted(session, predictions, rows))
    if rows:
        sections.append(_spread(session, predictions, facts, score, params))
    if params.shown_rows and rows and facts.task != "multiclass":
        sections.append(_highest(session, predictions, score, kept[:SHOWN_COLUMNS], params.shown_rows))
    return Report(title=f"{rows:,} rows scored", sections=tuple(sections))


def _story(
    facts: VersionFacts, version: ModelVersion, predictions: Table, params: ScoreParams, *, learned: bool
) -> str:
    rule = {
        "binary": f"{facts.classes[-1]!r} is predicted from a probability of {params.threshold:g} on; the probability "
        "is that class's."
        if facts.classes
        else "",
        "multiclass": "The most probable class is predicted, beside its probability.",
        "regression": "",
    }[facts.task]
    seen = f" The table holds {facts.target}: the model may have learned from some of its rows." if learned else ""
    return (
        f"{version.fully_qualified_model_name} version {version.version_name} predicted {facts.target} from SQL into "
        f"{predictions.name}. {rule}{seen}"
    ).strip()


def _predicted(session: Session, predictions: Table, rows: int) -> Grid:
    counted = session.sql(
        f"SELECT PREDICTION, COUNT(*), AVG(PROBABILITY) FROM {predictions.name} "  # noqa: S608 (a table's own name)
        f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_CLASSES}"
    ).collect()
    lines = tuple((str(row[0]), f"{row[1]:,}", f"{row[1] / rows:.1%}", f"{row[2]:.1%}") for row in counted)
    return Grid(title="Predictions", columns=("prediction", "rows", "share", "mean probability"), rows=lines)


def _spread(session: Session, predictions: Table, facts: VersionFacts, score: str, params: ScoreParams) -> Figure:
    low, high = 0.0, 1.0
    if facts.task == "regression":
        [row] = session.sql(f"SELECT MIN({score}), MAX({score}) FROM {predictions.name}").collect()  # noqa: S608
        low, high = float(row[0]), float(row[1])
    width = (high - low) / BINS or 1.0
    place = f"LEAST(FLOOR(({score} - {low!r}) / {width!r}), {BINS - 1})"
    counted = session.sql(f"SELECT {place}, COUNT(*) FROM {predictions.name} GROUP BY 1").collect()  # noqa: S608
    heights = [0] * BINS
    for row in counted:
        heights[int(row[0])] = int(row[1])
    edges = [low + width * index for index in range(BINS + 1)]

    def draw(axes: Axes) -> None:
        axes.stairs(heights, edges, color=BLUE, fill=True, alpha=0.7)
        if facts.task == "binary":
            axes.axvline(
                params.threshold, color=ORANGE, linestyle="--", linewidth=1, label=f"threshold {params.threshold:g}"
            )
            axes.legend()
        axes.set_xlabel(f"predicted {facts.target}" if facts.task == "regression" else "probability")
        axes.set_ylabel("rows")

    return Figure(title="How the scores are spread", svg=draw_svg(draw), caption="All scored rows.")


def _highest(session: Session, predictions: Table, score: str, kept: tuple[str, ...], limit: int) -> Grid:
    columns = (*kept, *(("PREDICTION", score) if score != "PREDICTION" else (score,)))
    listed = ", ".join(f"{quoted(name)} AS C{index}" for index, name in enumerate(columns))
    order = ", ".join([f"{score} DESC", *(quoted(name) for name in kept)])
    rows = session.sql(
        f"SELECT {listed} FROM {predictions.name} ORDER BY {order} LIMIT {limit}"  # noqa: S608 (all quoted)
    ).collect()
    lines = tuple(tuple(_shown(value) for value in row) for row in rows)
    return Grid(title="Highest scores", columns=columns, rows=lines)


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return number(value)
    text = "" if value is None else str(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"
