"""Runs that stages ask for: each starts in a process of its own when the run that asked has ended."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from types import FrameType

    from firnline.app import Outcome
    from firnline.cli.job import Mode
    from firnline.config import Composed
    from firnline.domain import RunRequested

# Where and how a run is made, not what is run: one that is asked for is made where the asking one was.
_SURROUNDINGS: Final = re.compile(r"^[+~]*(platform|profile|store|guard|tracker|executor)(?=[./@=]|$)")
_MODES: Final[dict[str, tuple[str, ...]]] = {"auto": (), "quiet": ("--quiet",), "json": ("--json",)}


def start_requested(outcome: Outcome, composed: Composed, mode: Mode) -> int:
    """Start what the stages of a run asked for, one after the other; returns the first exit code that is not 0."""
    from rich.console import Console

    from firnline.cli.render.text import joined

    told, code = Console(quiet=mode == "json", stderr=mode == "quiet"), 0
    refused = why_not(outcome)
    for request in outcome.record.requests:
        overrides = requested_overrides(composed.overrides, request.overrides)
        shown = shlex.join(["firnline", "run", *overrides])
        asks = (f"{request.stage} asks for a run", "bold")
        if refused:
            told.print(joined(asks, f", which is not started: {refused}\n{shown}"), soft_wrap=True)
            continue
        told.print(joined(asks, f": {shown}\n{request.reason}"), soft_wrap=True)
        code = code or _run(outcome.record.run_id, request, overrides, composed, mode)
    return code


def why_not(outcome: Outcome) -> str:
    """Return why a run starts none of those that it asked for; empty if it does."""
    record = outcome.record
    if record.requested_by is not None:
        return f"this run was asked for itself, by {record.requested_by}"
    if record.status == "interrupted":
        return "the run was interrupted"
    if outcome.exit_code == 3:
        return "a guard stopped the run"
    return ""


def requested_overrides(own: Sequence[str], requested: Sequence[str]) -> tuple[str, ...]:
    """Return the overrides of a run that is asked for: where the asking run was made, unless they say otherwise."""
    said = {_key(override) for override in requested}
    kept = [override for override in own if _SURROUNDINGS.match(override) and _key(override) not in said]
    return (*kept, *requested)


def _key(override: str) -> str:
    return override.lstrip("+~").partition("=")[0]


def _run(run_id: str, request: RunRequested, overrides: Sequence[str], composed: Composed, mode: Mode) -> int:
    command = [sys.executable, "-m", "firnline", "run", *_MODES[mode], "--because", request.reason]
    command += ["--requested-by", run_id, *overrides]
    with _signals_are_the_childs() as children:
        child = subprocess.Popen(command, cwd=composed.project)  # noqa: S603 (our own program)
        children.append(child)
        code = child.wait()
    return code if code >= 0 else 128 - code


@contextmanager
def _signals_are_the_childs() -> Iterator[list[subprocess.Popen[Any]]]:
    """Let the child decide what Ctrl-C means, which the terminal sends to both; hand SIGTERM on to it."""
    children: list[subprocess.Popen[Any]] = []

    def hand_on(number: int, _frame: FrameType | None) -> None:
        for child in children:
            child.send_signal(number)

    before = {signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None)}
    before[signal.SIGTERM] = signal.signal(signal.SIGTERM, hand_on)
    try:
        yield children
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
