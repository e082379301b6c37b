"""The generated page about the sandbox: what is supported, every known deviation, what is refused."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from operator import attrgetter

from firnline_sandbox.capabilities import CAPABILITIES, PREPARATION, Capability
from firnline_sandbox.capabilities.lists import LISTS


def sandbox_page(note: str) -> str:
    """Render the capability table by area, then the lists that come from the registries."""
    counts = {state: sum(row.state == state for row in CAPABILITIES) for state in ("supported", "partial", "refused")}
    parts = [f"{note}\n# What the sandbox supports\n", _INTRODUCTION, _preparation()]
    parts.append(
        f"{counts['supported']} rows are supported, {counts['partial']} partial (what is different is in the row), "
        f"{counts['refused']} refused.\n"
    )
    for area, rows in itertools.groupby(CAPABILITIES, key=attrgetter("area")):
        parts += [f"## {area}\n", "\n".join(_table(rows)) + "\n"]
    for entry in LISTS:
        names = ", ".join(f"`{name}`" for name in entry.names())
        parts += [f"## {entry.title}\n", entry.text + "\n", names + "\n"]
    return "\n".join(parts)


def _preparation() -> str:
    body = ";\n".join(PREPARATION)
    return f"Every example runs in a new schema after:\n\n```sql\n{body};\n```\n"


def _table(rows: Iterable[Capability]) -> Iterator[str]:
    yield "| feature | state | known deviations and remarks | example |"
    yield "|---|---|---|---|"
    for row in rows:
        example = "<br>".join(f"`{_cell(line)}`" for line in row.example)
        yield f"| {_cell(row.what)} | {row.state} | {_cell(row.note)} | {example} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


_INTRODUCTION = """\
The sandbox answers Snowflake's SQL and its clients from this machine. This page is written from the sandbox's own table
of capabilities, and a test runs the example of every row.

What is refused fails with error 2, SQL state 0A000: `Unsupported feature '<name>': it is not supported by the
sandbox`. A function that Snowflake does not have either is error 2140, `Unknown function`; syntax that Snowflake does
not have is error 1003. No statement reaches the database engine below untranslated. A few spellings that Snowflake
refuses are read all the same, such as `ARRAY[1]` for `[1]` and `INT[]` for `ARRAY`.
"""
