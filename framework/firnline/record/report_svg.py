"""Make a step's SVG fit to stand inside our page: an allow list decides what stays.

What could run code or load something from elsewhere gets the whole figure refused, by name: a figure with a hole in it
would look like a result. What is merely of no use (editors' metadata, unknown style properties) is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Final
from xml.etree.ElementTree import Element, ParseError, fromstring

MAX_CHARACTERS: Final = 8_000_000
MAX_DEPTH: Final = 100

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_OWN_NAMESPACES: Final = frozenset({"", _SVG})


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ELEMENTS: Final = _names(
    "svg g defs path rect circle ellipse line polyline polygon text tspan textPath title desc use symbol marker"
    " clipPath mask pattern linearGradient radialGradient stop image filter feGaussianBlur feOffset feBlend"
    " feColorMatrix feComposite feFlood feMerge feMergeNode feDropShadow a switch"
)
# Left out with what is in them: they draw nothing.
_IGNORED: Final = frozenset({"metadata", "cursor", "view"})

_ATTRIBUTES: Final = _names(
    "x y x1 y1 x2 y2 cx cy r rx ry fx fy dx dy d points width height viewBox preserveAspectRatio transform"
    " gradientUnits gradientTransform spreadMethod offset patternUnits patternContentUnits patternTransform"
    " clipPathUnits maskUnits maskContentUnits markerUnits markerWidth markerHeight refX refY orient pathLength"
    " textLength lengthAdjust rotate startOffset method spacing filterUnits primitiveUnits stdDeviation in in2"
    " result mode operator values type k1 k2 k3 k4 role aria-label aria-hidden"
)
_PROPERTIES: Final = _names(
    "alignment-baseline baseline-shift clip-path clip-rule color color-interpolation color-interpolation-filters"
    " cursor direction display dominant-baseline fill fill-opacity fill-rule filter flood-color flood-opacity font"
    " font-family font-feature-settings font-size font-stretch font-style font-variant font-weight image-rendering"
    " letter-spacing lighting-color marker marker-end marker-mid marker-start mask mix-blend-mode opacity overflow"
    " paint-order shape-rendering stop-color stop-opacity stroke stroke-dasharray stroke-dashoffset stroke-linecap"
    " stroke-linejoin stroke-miterlimit stroke-opacity stroke-width text-anchor text-decoration text-rendering"
    " transform transform-box transform-origin vector-effect visibility white-space word-spacing"
)

_PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+\Z")
_URL = re.compile(r"url\(\s*([\"']?)(.*?)\1\s*\)", re.IGNORECASE | re.DOTALL)
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_IDENTIFIER = re.compile(r"([#.])(-?[A-Za-z_][\w-]*)")
_LENGTH = re.compile(r"([\d.]+)\s*(px|pt|mm|cm|in|em)?\Z")
_SELECTOR = re.compile(r"[\w\s#.,*>+~:()-]+\Z")


class SvgRefusedError(ValueError):
    """The SVG cannot stand in the page; the message says why."""


@dataclass(frozen=True, slots=True)
class _Scope:
    """Names of one figure: every id and class gets the figure's prefix, so that figures cannot disturb each other."""

    prefix: str

    def name(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    def names(self, names: str) -> str:
        return " ".join(self.name(name) for name in names.split())


def clean_svg(svg: str, prefix: str) -> str:
    """Return the SVG as markup for an HTML page, with ids and classes that begin with ``prefix``.

    Args:
        svg: a whole SVG document, as plotting libraries write it.
        prefix: letters, digits and hyphens; another one for each figure of a page.

    Raises:
        SvgRefusedError: it is no SVG, too large, or holds something that runs code or loads from elsewhere.
    """
    root = _parse(svg)
    if _local(root) != "svg" or _namespace(root.tag) not in _OWN_NAMESPACES:
        raise SvgRefusedError(f"its outermost element is <{_local(root)}> instead of <svg>")
    pieces: list[str] = []
    _write(root, _Scope(prefix), pieces, 0)
    return "".join(pieces)


def _parse(svg: str) -> Element:
    if len(svg) > MAX_CHARACTERS:
        raise SvgRefusedError(f"it has {len(svg):,} characters, more than {MAX_CHARACTERS:,}")
    if "<!ENTITY" in svg:
        raise SvgRefusedError("it declares entities")
    try:
        # Without entities of its own there is nothing to blow up, and expat loads nothing from elsewhere.
        return fromstring(svg)  # noqa: S314
    except (ParseError, ValueError) as error:
        raise SvgRefusedError(f"it is no well-formed SVG ({error})") from error


def _write(element: Element, scope: _Scope, pieces: list[str], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise SvgRefusedError(f"its elements are nested more than {MAX_DEPTH} deep")
    if not isinstance(element.tag, str) or _namespace(element.tag) not in _OWN_NAMESPACES:
        return
    name = _local(element)
    if name in _IGNORED:
        return
    if name == "style":
        pieces.append(f"<style>{_style_sheet(element, scope)}</style>")
        return
    if name not in _ELEMENTS:
        raise SvgRefusedError(f"it holds <{name}>")
    attributes = [*_attributes(element, scope, root=depth == 0)]
    pieces.append(f"<{name}{''.join(attributes)}>")
    pieces.append(escape(element.text or ""))
    for child in element:
        _write(child, scope, pieces, depth + 1)
        pieces.append(escape(child.tail or ""))
    pieces.append(f"</{name}>")


def _attributes(element: Element, scope: _Scope, *, root: bool) -> Iterable[str]:
    for key, value in element.attrib.items():
        namespace, name = _namespace(key), key.rpartition("}")[2]
        kept = _attribute(namespace, name, value, scope, image=_local(element) == "image")
        if kept is not None and not (root and name in {"x", "y", "transform"}):
            yield f' {name}="{escape(kept)}"'
    if root:
        yield f' data-figure="{scope.prefix}" role="img"'
        if "viewBox" not in element.attrib and (box := _view_box(element)):
            yield f' viewBox="{box}"'


def _view_box(root: Element) -> str | None:
    """Without a view box a browser would cut a figure that is wider than the page instead of scaling it."""
    sizes = [_LENGTH.match(root.get(side, "")) for side in ("width", "height")]
    return " ".join(["0 0", *(size.group(1) for size in sizes if size)]) if all(sizes) else None


def _attribute(namespace: str, name: str, value: str, scope: _Scope, *, image: bool) -> str | None:
    if name.lower().startswith("on"):
        raise SvgRefusedError(f"it holds the event handler {name}")
    if name == "href" and namespace in {"", _SVG, _XLINK}:
        return _reference(value, scope, image=image)
    if namespace not in _OWN_NAMESPACES:
        return None
    match name:
        case "id":
            return scope.name(value)
        case "class":
            return scope.names(value)
        case "style":
            return _declarations(value, scope)
        case "role" | "aria-label" | "aria-hidden":
            return None if name == "role" else value
        case _ if name in _PROPERTIES:
            return _local_urls(value, scope)
        case _:
            return value if name in _ATTRIBUTES else None


def _reference(value: str, scope: _Scope, *, image: bool) -> str:
    target = value.strip()
    if target.startswith("#"):
        return "#" + scope.name(target[1:])
    if image and _PICTURE.match(target):
        return target
    raise SvgRefusedError(f"it refers to {target[:60]!r}, which is not in it")


def _local_urls(value: str, scope: _Scope) -> str:
    lowered = value.lower()
    if "\\" in value or "expression" in lowered or "javascript:" in lowered or "@import" in lowered:
        raise SvgRefusedError("its style holds an escape, an import or a script")

    def local(match: re.Match[str]) -> str:
        target = match.group(2).strip()
        if not target.startswith("#"):
            raise SvgRefusedError(f"its style refers to {target[:60]!r}, which is not in it")
        return f"url(#{scope.name(target[1:])})"

    renamed = _URL.sub(local, value)
    if renamed.lower().count("url(") != len(_URL.findall(renamed)) or "image-set(" in lowered:
        raise SvgRefusedError("its style refers to something in a way that cannot be checked")
    return renamed


def _declarations(style: str, scope: _Scope) -> str:
    kept = []
    for declaration in _COMMENT.sub(" ", _local_urls(style, scope)).split(";"):
        name, colon, value = declaration.partition(":")
        if colon and name.strip().lower() in _PROPERTIES:
            kept.append(f"{name.strip().lower()}:{value.strip()}")
    return ";".join(kept)


def _style_sheet(element: Element, scope: _Scope) -> str:
    if len(element):
        raise SvgRefusedError("its style sheet holds elements")
    text = _COMMENT.sub(" ", element.text or "")
    if "@" in text or "<" in text:
        raise SvgRefusedError("its style sheet holds an at-rule or markup")
    rules = []
    for selectors, body in _RULE.findall(text):
        if not _SELECTOR.match(selectors):
            raise SvgRefusedError(f"its style sheet selects {selectors.strip()[:60]!r}, which cannot be checked")
        scoped = ",".join(_scoped(selector.strip(), scope) for selector in selectors.split(","))
        rules.append(f"{scoped}{{{_declarations(body, scope)}}}")
    return escape("".join(rules), quote=False)


def _scoped(selector: str, scope: _Scope) -> str:
    inside = f"[data-figure={scope.prefix}]"
    renamed = _IDENTIFIER.sub(lambda match: match.group(1) + scope.name(match.group(2)), selector)
    # A selector that begins with a class or an id may mean the outermost element itself.
    return f"{inside} {renamed},{inside}{renamed}" if renamed[:1] in {".", "#"} else f"{inside} {renamed}"


def _namespace(tag: str) -> str:
    return tag[1:].partition("}")[0] if tag.startswith("{") else ""


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
