"""Errors as a person reads them: all problems of a configuration at once, each with what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from firnline.cli.render.text import joined, plain
from firnline.domain.wording import count_text
from firnline.errors import ConfigError, FirnlineError, Problem

VALUE_LIMIT = 400


def render_error(error: FirnlineError) -> RenderableType:
    """Return any error of Firnline: its message, and the hint on a line of its own."""
    if isinstance(error, ConfigError):
        return render_problems(error.problems)
    lines: list[RenderableType] = [_hanging(Text("error:", style="bold red"), plain(error.message))]
    if error.hint:
        lines.append(_hanging(Text("hint:", style="bold cyan"), plain(error.hint)))
    return Group(*lines)


def render_problems(problems: Sequence[Problem]) -> RenderableType:
    """Return every problem, grouped by the top-level config node (mostly a stage), in the order of first mention."""
    groups: dict[str, list[Problem]] = {}
    for problem in problems:
        groups.setdefault(problem.path.partition(".")[0], []).append(problem)
    heading = f"{count_text(len(problems), 'problem')} in the configuration; nothing ran."
    blocks: list[RenderableType] = [joined(("✗ ", "bold red"), (heading, "bold"))]
    numbers = iter(range(1, len(problems) + 1))
    for name, members in groups.items():
        if len(groups) > 1:
            blocks += [Text(), plain(name or "command line", "bold underline")]
        for problem in members:
            blocks += [Text(), _problem(next(numbers), problem, len(str(len(problems))))]
    return Group(*blocks)


def _problem(number: int, problem: Problem, digits: int) -> RenderableType:
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for label, value, style in _facts(problem):
        facts.add_row(label, plain(value, style))
    lines: list[RenderableType] = []
    if problem.path:
        lines.append(plain(problem.path, "bold yellow"))
    lines.append(plain(problem.message))
    if facts.row_count:
        lines.append(Padding(facts, (0, 0, 0, 2)))
    return _hanging(Text(f"{number:>{digits}}.", style="bold"), Group(*lines))


def _facts(problem: Problem) -> Iterable[tuple[str, str, str]]:
    rows = (
        ("value", _bounded(problem.value), ""),
        ("from", problem.source, ""),
        ("in", problem.jobs, ""),
        ("expected", _bounded(problem.expected), ""),
        ("nearest", problem.nearest, "bold green"),
        ("hint", problem.hint, "cyan"),
    )
    return ((label, value, style) for label, value, style in rows if value is not None)


def _bounded(value: str | None) -> str | None:
    return value if value is None or len(value) <= VALUE_LIMIT else value[: VALUE_LIMIT - 1] + "…"


def _hanging(label: RenderableType, body: RenderableType) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold", ratio=1)
    grid.add_row(label, body)
    return grid
