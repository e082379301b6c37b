"""The report of a training: what it learned from, how the loss fell, the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from firnline.domain import Figure, Grid, Report, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_torch.params import TorchParams
    from firnline_torch.roles import Roles

WIDTH: Final = 520
HEIGHT: Final = 260
LEFT: Final = 64
BOTTOM: Final = 36
TOP: Final = 14
RIGHT: Final = 16
COLORS: Final = {"train": "#8a929a", "valid": "#1f6fb2"}


def training_report(params: TorchParams, roles: Roles, facts: dict[str, Any]) -> Report:
    """Return what the run's report shows of the training."""
    target = roles.target
    columns = (
        *((name, kind, "") for name, kind in roles.kinds.items()),
        *((name, "left out", why) for name, why in roles.left_out),
    )
    settings = tuple((name, _shown(value)) for name, value in params.model_dump().items())
    return Report(
        title=f"Trained to predict {target.name}",
        sections=(
            Text(body=_story(params, roles, facts)),
            Figure(
                title="Learning curve",
                svg=_curves(facts["history"], facts["best_epoch"], validated=facts["validated"]),
                caption="Loss after each epoch; lower is better. The training loss is taken while it learns.",
            ),
            Grid(title="Columns", columns=("column", "kind", "note"), rows=columns),
            Grid(title="Settings", columns=("param", "value"), rows=settings),
        ),
    )


def _story(params: TorchParams, roles: Roles, facts: dict[str, Any]) -> str:
    epochs, best = len(facts["history"]), facts["best_epoch"] + 1
    loss = {"regression": "squared error of the standardised amount"}.get(roles.target.task, "log loss")
    told = (
        f"The validation {loss} was smallest after epoch {best} of {epochs} ({facts['best_loss']:.4f}); "
        "its weights are the model's."
        if facts["validated"]
        else f"{epochs} epochs; there were no validation rows to stop early on."
    )
    many = f"{params.processes} processes" if params.processes > 1 else "one process"
    return (
        f"{facts['rows']:,} rows, {len(roles.kinds)} features; a network of {facts['parameters']:,} weights "
        f"({params.model}), trained by {many} on {facts['device']} in {facts['precision']}. {told}"
    )


def _curves(history: Sequence[Sequence[float]], best: int, *, validated: bool) -> str:
    """Draw the losses as an SVG element."""
    shown = {"train": [row[0] for row in history], **({"valid": [row[1] for row in history]} if validated else {})}
    known = [value for values in shown.values() for value in values if value == value]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    room = (high - low) * 0.05 or 0.5
    low, high = low - room, high + room

    def x(epoch: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (epoch / max(1, len(history) - 1))

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low)

    axis = 'stroke="#d9dee3" stroke-width="1"'
    text = 'font-family="sans-serif" font-size="11" fill="currentColor"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img">']
    for place in range(5):
        value = low + (high - low) * place / 4
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" {axis}/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end" {text}>{value:.3g}</text>')
    parts += [
        f'<text x="{x(epoch):.1f}" y="{HEIGHT - 14}" text-anchor="middle" {text}>{epoch + 1}</text>'
        for epoch in sorted({0, len(history) // 2, len(history) - 1})
    ]
    if validated:
        parts.append(
            f'<line x1="{x(best):.1f}" x2="{x(best):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="#d1731a" '
            'stroke-dasharray="4 3"/>'
        )
    for place, (name, values) in enumerate(shown.items()):
        points = " ".join(f"{x(epoch):.1f},{y(value):.1f}" for epoch, value in enumerate(values) if value == value)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{COLORS[name]}" stroke-width="1.8"/>')
        parts.append(
            f'<text x="{WIDTH - RIGHT - 4}" y="{TOP + 12 + 15 * place}" text-anchor="end" font-family="sans-serif" '
            f'font-size="11" fill="{COLORS[name]}">{name}</text>'
        )
    parts.append(f'<text x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 1}" text-anchor="middle" {text}>epoch</text></svg>')
    return "".join(parts)


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value)
    return "" if value is None else str(value)
