"""Look into a page as a browser does: its elements, attributes and texts."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_LOADING = {"src", "srcset", "href", "xlink:href", "data", "action", "poster", "background"}
_VOID = {"meta", "link", "br", "hr", "img", "input", "col", "wbr"}


class Page(HTMLParser):
    """A parsed page.

    Attributes:
        tags: every element's name, in order.
        links: every address that an element names.
        handlers: event handlers.
        text: what a reader sees, in one line.
        unclosed: elements that were opened and not closed, or closed in the wrong order.
    """

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html = html
        self.tags: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.ids: list[str] = []
        self.unclosed: list[str] = []
        self._open: list[str] = []
        self._texts: list[str] = []
        self.feed(html)
        self.unclosed += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in _VOID:
            self._open.append(tag)
        self._attributes(attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._attributes(attrs)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.unclosed.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        if not {"style", "script", "title"} & set(self._open):
            self._texts.append(data)

    def _attributes(self, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in _LOADING:
                self.links.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)
            if name == "id":
                self.ids.append(value or "")

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._texts).split())

    def assert_self_contained(self) -> None:
        """Nothing is loaded from anywhere, and nothing runs."""
        assert "script" not in self.tags
        assert not {"iframe", "object", "embed", "link"} & set(self.tags)
        assert self.handlers == []
        elsewhere = [link for link in self.links if not re.match(r"#|\.\./|data:image/", link)]
        assert elsewhere == []
        assert not re.search(r"@import|url\(\s*['\"]?(?!#|data:)", self.html)
        assert self.unclosed == []
        assert len(set(self.ids)) == len(self.ids)
        missing = [link for link in self.links if link.startswith("#") and link[1:] not in self.ids]
        assert missing == []
