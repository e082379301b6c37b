"""Figures come from steps: what could run code or load something refuses the figure, by name."""

from __future__ import annotations

import pytest

from firnline.record.report_svg import SvgRefusedError, clean_svg

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9">'


@pytest.mark.parametrize(
    ("inside", "why"),
    [
        ("<script>alert(1)</script>", "holds <script>"),
        ("<foreignObject/>", "holds <foreignObject>"),
        ("<animate attributeName='href' to='javascript:x'/>", "holds <animate>"),
        ("<rect onclick='x()'/>", "event handler onclick"),
        ("<a href='javascript:alert(1)'/>", "refers to 'javascript:alert"),
        ("<image href='http://example.org/x.png'/>", "refers to 'http://example.org"),
        ("<image xlink:href='data:image/svg+xml;base64,AAAA'/>", "refers to 'data:image/svg"),
        ("<use href='other.svg#p'/>", "refers to 'other.svg"),
        ("<rect fill='url(http://example.org/#p)'/>", "refers to 'http://example.org"),
        ("<rect style='fill:u\\72l(http://x)'/>", "an escape"),
        ("<style>@import 'x.css';</style>", "at-rule"),
        ("<style>rect{fill:url(//example.org)}</style>", "refers to '//example.org"),
        ("<style>*[href^='a']{fill:red}</style>", "selects"),
        ("<g>" * 200 + "</g>" * 200, "nested"),
    ],
)
def test_refused_by_name(inside: str, why: str) -> None:
    with pytest.raises(SvgRefusedError) as caught:
        clean_svg(f"{HEAD}{inside}</svg>", "f1")
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("svg", "why"),
    [
        ("<html/>", "<html> instead of <svg>"),
        ("<svg", "no well-formed"),
        ('<!DOCTYPE svg [<!ENTITY a "b">]>' + HEAD + "&a;</svg>", "entities"),
        (HEAD + " " * 8_000_001 + "</svg>", "characters"),
    ],
)
def test_no_svg(svg: str, why: str) -> None:
    with pytest.raises(SvgRefusedError, match=why):
        clean_svg(svg, "f1")


def test_what_matplotlib_writes_is_kept() -> None:
    pyplot = pytest.importorskip("matplotlib.figure")
    from io import StringIO

    figure = pyplot.Figure(figsize=(4, 3))
    axes = figure.subplots()
    axes.plot([0, 1, 2], [0, 1, 0.5], label="train")
    axes.imshow([[0, 1], [1, 0]])
    axes.legend()
    file = StringIO()
    figure.savefig(file, format="svg")
    cleaned = clean_svg(file.getvalue(), "f1")
    assert cleaned.startswith("<svg")
    assert 'viewBox="0 0 288 216"' in cleaned
    assert "data:image/png;base64," in cleaned
    assert cleaned.count("<path") > 10
    assert "metadata" not in cleaned
