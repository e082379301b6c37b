"""Finding models by the names that statements use."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from firnline_sandbox.errors import missing_object
from firnline_sandbox.models.objects import Model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firnline_sandbox.context import Context
    from firnline_sandbox.models.room import ModelRoom


def room_of(context: Context) -> ModelRoom:
    """Give the engine's files and workers of models."""
    return cast("ModelRoom", context.engine.part("models"))


def find_model(context: Context, parts: Sequence[str]) -> Model | None:
    """Find a model by a possibly partial name; None if there is none."""
    return context.catalog.find(Model, context.qualify(parts))


def model_for(context: Context, parts: Sequence[str]) -> Model:
    """Find a model by a possibly partial name.

    Raises:
        ProgrammingError: 2003, there is none.
    """
    found = find_model(context, parts)
    if found is None:
        raise missing_object("model", ".".join(context.qualify(parts)))
    return found
