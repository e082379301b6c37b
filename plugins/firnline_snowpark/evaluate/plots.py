"""The plots of an evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from firnline.domain import Figure
from firnline_snowpark.evaluate.wording import legend
from firnline_snowpark.figures import BLUE, GREY, ORANGE, draw_svg

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes

    from firnline_snowpark.evaluate.predictions import Predictions

MOST_POINTS: Final = 400
MOST_DOTS: Final = 1_000
MOST_CLASSES_IN_MATRIX: Final = 15
MOST_BARS: Final = 20
CALIBRATION_BINS: Final = 10


def plots(predictions: Predictions, threshold: float) -> tuple[Figure, ...]:
    """Return the plots that suit the task."""
    match predictions.task.task:
        case "binary":
            return _binary_plots(predictions, threshold)
        case "multiclass":
            if len(predictions.task.classes) > MOST_CLASSES_IN_MATRIX:
                return ()
            return (_confusion(predictions, predictions.scores.argmax(axis=1), "the most probable class is predicted"),)
        case "regression":
            return (_predicted_actual(predictions), _residuals(predictions))


def importance_plot(importances: list[tuple[str, float, float]], measure: str) -> Figure:
    """Draw the most important columns as bars, the longest on top."""
    shown = importances[:MOST_BARS][::-1]

    def draw(axes: Axes) -> None:
        axes.barh(
            range(len(shown)),
            [mean for _, mean, _ in shown],
            xerr=[deviation for _, _, deviation in shown],
            color=BLUE,
            ecolor=GREY,
        )
        axes.set_yticks(range(len(shown)), [name if len(name) <= 40 else name[:39] + "…" for name, _, _ in shown])
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(f"{legend(measure)}: loss when the column is shuffled")

    return Figure(
        title="Feature importance",
        svg=draw_svg(draw, width=6.0, height=0.9 + 0.26 * len(shown)),
        caption="How much worse the model gets without a column's information, on held-out rows.",
    )


def _binary_plots(predictions: Predictions, threshold: float) -> tuple[Figure, ...]:
    labels, scores = predictions.labels, predictions.scores
    guess = (scores >= threshold).astype(int)
    figures = [_confusion(predictions, guess, f"{predictions.task.classes[1]!r} from a probability of {threshold:g}")]
    if 0 < labels.sum() < len(labels):
        figures = [_roc(labels, scores), _precision_recall(labels, scores), _calibration(labels, scores), *figures]
    return (*figures, _score_distribution(predictions, threshold))


def _thinned(*series: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    import numpy as np

    length = len(series[0])
    if length <= MOST_POINTS:
        return list(series)
    picked = np.unique(np.linspace(0, length - 1, MOST_POINTS).astype(int))
    return [values[picked] for values in series]


def _roc(labels: np.ndarray[Any, Any], scores: np.ndarray[Any, Any]) -> Figure:
    from sklearn.metrics import roc_auc_score, roc_curve

    false_share, true_share, _ = roc_curve(labels, scores)
    area = roc_auc_score(labels, scores)

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="no skill")
        axes.plot(*_thinned(false_share, true_share), color=BLUE, label=f"model, area {area:.3f}")
        axes.set_xlabel("false positive rate")
        axes.set_ylabel("true positive rate")
        axes.set_aspect("equal")
        axes.legend(loc="lower right")

    svg = draw_svg(draw, width=4.4, height=4.2)
    return Figure(
        title="ROC curve", svg=svg, caption="How many positives are found, at the price of how many false alarms."
    )


def _precision_recall(labels: np.ndarray[Any, Any], scores: np.ndarray[Any, Any]) -> Figure:
    from sklearn.metrics import average_precision_score, precision_recall_curve

    precision, recall, _ = precision_recall_curve(labels, scores)
    average, share = average_precision_score(labels, scores), labels.mean()

    def draw(axes: Axes) -> None:
        axes.axhline(share, color=GREY, linestyle="--", linewidth=1, label=f"no skill, {share:.3f}")
        x, y = _thinned(recall, precision)
        axes.step(x, y, where="post", color=BLUE, label=f"model, average {average:.3f}")
        axes.set_xlabel("recall")
        axes.set_ylabel("precision")
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.02)
        axes.legend(loc="upper right")

    svg = draw_svg(draw, width=4.4, height=4.2)
    return Figure(
        title="Precision and recall", svg=svg, caption="How many of those flagged are right, and how many are found."
    )


def _calibration(labels: np.ndarray[Any, Any], scores: np.ndarray[Any, Any]) -> Figure:
    import numpy as np

    order = np.argsort(scores, kind="stable")
    groups = [group for group in np.array_split(order, CALIBRATION_BINS) if len(group)]
    said = [float(scores[group].mean()) for group in groups]
    seen = [float(labels[group].mean()) for group in groups]
    bounds = [wilson_interval(int(labels[group].sum()), len(group)) for group in groups]
    low, high = ([abs(bound[side] - y) for bound, y in zip(bounds, seen, strict=True)] for side in (0, 1))
    # Rare classes live near zero: the axes end where the groups end.
    end = min(1.0, 1.1 * max(*said, *(bound[1] for bound in bounds)))

    def draw(axes: Axes) -> None:
        axes.plot([0, end], [0, end], color=GREY, linestyle="--", linewidth=1, label="perfect")
        axes.errorbar(said, seen, yerr=[low, high], color=BLUE, marker="o", markersize=4, capsize=2, label="model")
        axes.set_xlabel("predicted probability")
        axes.set_ylabel("observed share")
        axes.set_xlim(0, end)
        axes.set_ylim(0, end)
        axes.set_aspect("equal")
        axes.legend(loc="upper left")

    svg = draw_svg(draw, width=4.4, height=4.2)
    caption = "Ten groups of equally many rows; the bars are 95 % intervals of the observed shares."
    return Figure(title="Calibration", svg=svg, caption=caption)


def wilson_interval(hits: int, rows: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson's score interval, right for shares near 0 and 1, too)."""
    z = 1.959963984540054
    share = hits / rows
    centre = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z / (1 + z * z / rows) * (share * (1 - share) / rows + z * z / (4 * rows * rows)) ** 0.5
    return max(0.0, centre - half), min(1.0, centre + half)


def _score_distribution(predictions: Predictions, threshold: float) -> Figure:
    import numpy as np

    edges = np.linspace(0, 1, 31)

    def draw(axes: Axes) -> None:
        for code, color in ((0, GREY), (1, BLUE)):
            heights, _ = np.histogram(predictions.scores[predictions.labels == code], bins=edges)
            label = str(predictions.task.classes[code])
            axes.stairs(heights / max(heights.sum(), 1), edges, color=color, fill=True, alpha=0.55, label=label)
        axes.axvline(threshold, color=ORANGE, linestyle="--", linewidth=1, label=f"threshold {threshold:g}")
        axes.set_xlabel("predicted probability")
        axes.set_ylabel("share of the class's rows")
        axes.legend()

    return Figure(title="Scores by class", svg=draw_svg(draw), caption="The less the two overlap, the better.")


def _confusion(predictions: Predictions, guess: np.ndarray[Any, Any], rule: str) -> Figure:
    import numpy as np

    classes = [str(label)[:20] for label in predictions.task.classes]
    counts = np.zeros((len(classes), len(classes)), dtype=int)
    np.add.at(counts, (predictions.labels.astype(int), guess.astype(int)), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)

    def draw(axes: Axes) -> None:
        axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1, edgecolors="white", linewidth=1)
        for row, column in np.ndindex(*counts.shape):
            color = "white" if shares[row, column] > 0.55 else "black"
            text = f"{counts[row, column]:,}\n{shares[row, column]:.0%}"
            axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", color=color, fontsize=9)
        ticks = np.arange(len(classes)) + 0.5
        axes.set_xticks(ticks, classes, rotation=45 if len(classes) > 4 else 0)
        axes.set_yticks(ticks, classes)
        axes.invert_yaxis()
        axes.set_aspect("equal")
        axes.grid(visible=False)
        axes.set_xlabel("predicted")
        axes.set_ylabel("actual")

    side = min(3.6 + 0.45 * max(len(classes) - 2, 0), 9.0)
    svg = draw_svg(draw, width=side + 0.4, height=side)
    return Figure(title="Confusion matrix", svg=svg, caption=f"Shares are of each actual class; {rule}.")


def _predicted_actual(predictions: Predictions) -> Figure:
    import numpy as np

    picked = np.unique(np.linspace(0, len(predictions.labels) - 1, MOST_DOTS).astype(int))
    actual, said = predictions.labels[picked], predictions.scores[picked]
    low, high = min(actual.min(), said.min()), max(actual.max(), said.max())

    def draw(axes: Axes) -> None:
        axes.plot([low, high], [low, high], color=GREY, linestyle="--", linewidth=1)
        axes.scatter(actual, said, s=12, color=BLUE, alpha=0.45, linewidths=0)
        axes.set_xlabel(f"actual {predictions.task.target}")
        axes.set_ylabel("predicted")

    svg = draw_svg(draw, width=4.8, height=4.4)
    return Figure(
        title="Predicted and actual", svg=svg, caption=f"{len(picked):,} rows; on the line, the model is right."
    )


def _residuals(predictions: Predictions) -> Figure:
    import numpy as np

    errors = predictions.scores - predictions.labels

    def draw(axes: Axes) -> None:
        heights, edges = np.histogram(errors, bins=40)
        axes.stairs(heights, edges, color=BLUE, fill=True, alpha=0.7)
        axes.axvline(0, color="black", linewidth=0.8)
        axes.axvline(errors.mean(), color=ORANGE, linestyle="--", linewidth=1, label=f"mean {errors.mean():,.3g}")
        axes.set_xlabel("predicted minus actual")
        axes.set_ylabel("rows")
        axes.legend()

    return Figure(title="Residuals", svg=draw_svg(draw), caption="Right of zero the model says too much.")
