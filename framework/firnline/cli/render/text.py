"""The few marks and styles that all screens share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from firnline.domain.wording import printable

NARROW = 110

MARKS: Mapping[str, tuple[str, str]] = {
    "run": ("●", "cyan"),
    "reuse": ("○", "blue"),
    "skip": ("·", "dim"),
    "waiting": ("·", "dim"),
    "running": ("▸", "cyan"),
    "retrying": ("↻", "yellow"),
    "finished": ("✓", "green"),
    "reused": ("○", "blue"),
    "failed": ("✗", "red"),
    "skipped": ("–", "dim"),
    "stopped": ("■", "yellow"),
    "interrupted": ("■", "yellow"),
    "killed": ("✗", "red"),
    "pruned": ("✂", "dim"),
}


def plain(value: object, style: str = "") -> Text:
    """Return foreign text as rich text: no markup is read in it and control characters are spelt out."""
    return Text(printable(value), style=style, overflow="fold")


def marked(state: str, label: object | None = None) -> Text:
    """Return a state with its mark and colour, for example ``✓ finished``."""
    mark, style = MARKS[state]
    return Text.assemble((mark, style), " ", (printable(state if label is None else label), style), overflow="fold")


def joined(*parts: Text | str | tuple[object, str]) -> Text:
    """Return pieces of foreign text in one; a pair is a piece with its style."""
    text = Text(overflow="fold")
    for part in parts:
        match part:
            case Text():
                text.append_text(part)
            case str():
                text.append(printable(part))
            case (piece, style):
                text.append(printable(piece), style=style)
    return text


@dataclass(frozen=True, slots=True)
class Fitted:
    """Something that is laid out anew for the width at hand: ``build`` gets the number of columns."""

    build: Callable[[int], RenderableType]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Build for the width at hand."""
        yield self.build(options.max_width)
