from __future__ import annotations

import re
from pathlib import Path

import pytest

from checks.reference import FOLDER, PAGES
from tests.docs.examples import Block, commands, prints

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")})


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    written = (FOLDER / name).read_text(encoding="utf-8")
    assert written == PAGES[name](), "run `python -m checks.reference`"


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files_that_are_there(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    pages = {page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").rglob("*.md")} - {"index.md"}
    assert [page for page in sorted(pages) if f"({page})" not in index] == []


def test_output_of_commands_is_compared() -> None:
    block = Block(language="console", body="$ a \\\n    b\none\n…\nthree\n$ c\n", line=1)
    first, second = commands(block)
    assert (first.text, second.text, second.output) == ("a b", "c", "")
    assert prints(first.output, "one \ntwo\nthree\n")
    assert not prints(first.output, "two\nthree\n")
