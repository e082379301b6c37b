"""Params of ``features.dynamic``. Light: imported while planning."""

from __future__ import annotations

import re
from typing import Final

from pydantic import Field, field_validator

from firnline_snowpark.object_names import PLAIN_NAME
from firnline_snowpark.query.params import SqlParams

DOWNSTREAM: Final = "DOWNSTREAM"
_LAG: Final = re.compile(r"([1-9]\d*) +(second|minute|hour|day)s?")
_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}
_SHORTEST_S: Final = 60


class DynamicParams(SqlParams):
    """One SELECT over the inputs, which the platform keeps computed: no older than a target lag."""

    name: str = Field(
        pattern=PLAIN_NAME, description="Name of the dynamic table in the platform's schema; it outlives the run."
    )
    target_lag: str = Field(
        "1 hour", description="How old the rows may become, 1 minute at least; DOWNSTREAM: as those who read it need."
    )
    warehouse: str | None = Field(
        None, pattern=PLAIN_NAME, description="The warehouse that refreshes it; default: that of the session."
    )

    @field_validator("target_lag")
    @classmethod
    def _can_be_kept(cls, lag: str) -> str:
        plain = " ".join(lag.split())
        if plain.upper() == DOWNSTREAM:
            return DOWNSTREAM
        found = _LAG.fullmatch(plain.lower())
        if found is None or int(found[1]) * _SECONDS[found[2]] < _SHORTEST_S:
            raise ValueError(f"{lag!r} is no lag: say e.g. '1 minute' (the shortest), '12 hours' or DOWNSTREAM")
        return plain.lower()
