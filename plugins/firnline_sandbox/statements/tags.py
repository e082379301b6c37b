"""Tags: making them, and the checks where they are put on objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firnline_sandbox.catalog import Tag
from firnline_sandbox.errors import error, missing_object

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_sandbox.context import Context


def checked_tag(context: Context, parts: Sequence[str], value: str) -> tuple[str, str]:
    """Find a tag and check a value for it; gives its full name and the value.

    Raises:
        ProgrammingError: 2003, there is no such tag; 391801, the tag does not allow the value.
    """
    names = context.qualify(parts)
    tag = context.catalog.find(Tag, names)
    if tag is None:
        raise missing_object("tag", ".".join(names))
    if tag.allowed_values is not None and value not in tag.allowed_values:
        raise error(391801, "22023", f"Tag value '{value}' is not allowed for tag '{tag.full_name}'.")
    return tag.full_name, value
