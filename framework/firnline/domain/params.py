"""The base class of every params model."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Params(BaseModel):
    """Params of a step or a platform: unknown keys are refused, values are frozen.

    Give each field a type, a range or choices, a default where one makes sense and a description:
    ``firnline steps`` and the JSON Schema show them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=False)
