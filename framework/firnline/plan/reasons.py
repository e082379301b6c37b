"""Why a stage runs, in words: what differs from the last time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from firnline.domain import EarlierStage, Stage

_SHOWN: Final = 3


def why_it_runs(stage: Stage, parts: Mapping[str, str], params: Mapping[str, Any], earlier: EarlierStage | None) -> str:
    """Compare a stage with its last time and say what changed, most telling first."""
    if earlier is None:
        return "it has not run yet"
    since = f"since run {earlier.run_id}"
    if earlier.step != stage.spec.id:
        return f"the step was {earlier.step} in run {earlier.run_id}"
    changed = [name for name in {**earlier.parts, **parts} if earlier.parts.get(name) != parts.get(name)]
    if "once" in parts:
        return "its output is never reused"
    if "source" in changed:
        return f"what it reads changed {since}"
    if "params" in changed:
        return f"params changed {since}: {_changed_params(earlier.params, params)}"
    if "code" in changed or "step" in changed:
        return f"its code changed {since}"
    if "platform" in changed:
        return f"the platform changed {since}"
    upstream = [name.removeprefix("input:") for name in changed if name.startswith("input:")]
    if upstream:
        return f"{', '.join(_stages_of(stage, upstream, earlier.parts)) or 'its inputs'} changed {since}"
    if earlier.status in {"finished", "reused"}:
        return f"the output of run {earlier.run_id} is gone"
    return f"it {_ENDINGS.get(earlier.status, 'did not finish')} in run {earlier.run_id}"


def _stages_of(stage: Stage, changed: Sequence[str], before: Mapping[str, str]) -> list[str]:
    """Return the stages behind changed inputs: ``port``, or ``port[2]`` where several outputs feed one port."""
    names: dict[str, None] = {}
    for part in changed:
        port, _, number = part.partition("[")
        links = stage.inputs.get(port, ())
        if number:
            # What was connected or taken off did not change: the stage's own inputs did.
            links = links[int(number[:-1]) :][:1] if len(links) > 1 and f"input:{part}" in before else ()
        elif any(other.startswith(f"{port}[") for other in changed):
            continue  # told by the parts
        names |= dict.fromkeys(link.stage for link in links)
    return list(names)


_ENDINGS: Final = {"failed": "failed", "skipped": "was skipped", "running": "did not finish"}


def _changed_params(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    shown = [f"{name} {_short(before.get(name))} → {_short(now.get(name))}" for name in names[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 24 else text[:23] + "…"
