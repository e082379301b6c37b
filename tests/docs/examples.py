"""Find the runnable code blocks of a Markdown page.

A block says in its first line what is done with it, after the language:

``run``         run it: Python in an interpreter of its own, a console block command by command
``exit=2``      together with ``run``: the exit code that is expected of the block's last command
``file=NAME``   write it to a file
``fixture=NAME`` on the page's first block: start from a copy of that folder of tests/docs/fixtures

The blocks of one page run in order, in one empty folder. In a console block the lines after ``$ command`` are what it
prints; ``…`` stands for anything. Lines may be left out only where ``…`` stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_FENCE = re.compile(
    r"^(?P<fence>`{3,})(?P<language>\w+)(?P<words>[^\n`]*)\n(?P<body>.*?)^(?P=fence)$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced code block of a page."""

    language: str
    body: str
    line: int
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command of a console block, and what the page says that it prints."""

    text: str
    output: str


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page that are run or written to a file."""
    text = page.read_text(encoding="utf-8")
    return [block for block in _all_blocks(text) if {"run", "file"} & block.options.keys()]


def _all_blocks(text: str) -> Iterator[Block]:
    for match in _FENCE.finditer(text):
        options = dict(word.partition("=")[::2] for word in match["words"].split())
        line = text.count("\n", 0, match.start()) + 1
        yield Block(language=match["language"], body=match["body"], line=line, options=options)


def commands(block: Block) -> list[Command]:
    """Split a console block into commands; a line that ends in a backslash goes on in the next one."""
    found: list[Command] = []
    for line in re.sub(r"\\\n\s*(?:> )?", "", block.body).splitlines():
        if line.startswith("$ "):
            found.append(Command(text=line[2:], output=""))
        elif found:
            found[-1] = Command(text=found[-1].text, output=f"{found[-1].output}{line}\n")
        else:
            raise ValueError(f"line {block.line}: a console block starts with `$ command`")
    return found


def prints(expected: str, actual: str) -> bool:
    """Tell whether the output is what a page says; trailing blanks do not count."""
    parts = [re.escape(part) for part in _trimmed(expected).split("…")]
    return re.fullmatch(".*".join(parts), _trimmed(actual), re.DOTALL) is not None


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
