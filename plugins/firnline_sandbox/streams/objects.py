"""Streams, as the catalog holds them. How far each one has been read stands beside the data (see ``offsets``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from firnline_sandbox.catalog import Entry
from firnline_sandbox.catalog.entries import register_entry


@register_entry
@dataclass(frozen=True, slots=True, kw_only=True)
class Stream(Entry):
    """A stream on a table, which ``source`` names by its id and ``source_name`` as it was called at first."""

    kind: ClassVar[str] = "STREAM"
    namespace: ClassVar[str] = "RELATION"

    source: str
    source_name: str
    append_only: bool = False
