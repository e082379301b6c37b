"""Dynamic tables, as the catalog holds them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from firnline_sandbox.catalog import Table
from firnline_sandbox.catalog.entries import register_entry

ACTIVE = "ACTIVE"
SUSPENDED = "SUSPENDED"
DOWNSTREAM = "DOWNSTREAM"


@register_entry
@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicTable(Table):
    """A table of a query's rows.

    ``lag_s`` is 0 for DOWNSTREAM; ``refreshed`` is the time as of which the rows are right, as ISO text, empty before
    the first refresh; ``sources`` are the tables that were read then, with the numbers of their last changes.
    """

    kind: ClassVar[str] = "DYNAMIC TABLE"
    namespace: ClassVar[str] = "RELATION"

    text: str
    query: str
    home: tuple[str, str]
    lag: str
    lag_s: int = 0
    warehouse: str = ""
    mode: str = "AUTO"
    state: str = ACTIVE
    refreshed: str = ""
    sources: Mapping[str, int] = field(default_factory=dict)

    @property
    def due(self) -> dt.datetime | None:
        """Say when its rows have become as old as they may; None where nothing but a demand refreshes it."""
        if self.state != ACTIVE or not self.lag_s:
            return None
        return (dt.datetime.fromisoformat(self.refreshed) if self.refreshed else self.created) + dt.timedelta(
            seconds=self.lag_s
        )
