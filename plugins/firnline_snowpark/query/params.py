"""Params of ``features.sql`` and ``prepare.sql``, and the state of the file that holds the query."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from pydantic import Field, FiniteFloat, model_validator

from firnline.domain import Params, content_hash
from firnline.errors import UsageError
from firnline_snowpark.project_files import project_file
from firnline_snowpark.query.text import QueryTextError, check_query

if TYPE_CHECKING:
    from pathlib import Path

    from firnline.domain import SourceContext

Constant: TypeAlias = bool | int | FiniteFloat | str | None
HINT = "write one SELECT; inputs and values stand in it as {{ name }}, without quotes"


class SqlParams(Params):
    """One SELECT over the inputs. It runs on the platform and its result becomes a table."""

    query: str | None = Field(None, description="The SELECT; each input and value stands in it as {{ name }}.")
    file: str | None = Field(
        None, min_length=1, description="A .sql file that holds the SELECT instead; relative to the project folder."
    )
    names: tuple[str, ...] = Field(
        ("table",), description="What the inputs are called in the query, in the order in which they are connected."
    )
    values: dict[str, Constant | tuple[Constant, ...]] = Field(
        default_factory=dict, description="name → constant, or a list of them, e.g. for IN ({{ plans }})."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> SqlParams:
        if (self.query is None) == (self.file is None):
            raise ValueError("say either query or file")
        known = [*self.names, *self.values]
        if wrong := [name for name in known if not name.isidentifier()]:
            raise ValueError(f"{wrong[0]!r} is no name: letters, digits and _ only")
        if repeated := sorted({name for name in known if known.count(name) > 1}):
            raise ValueError(f"{repeated[0]!r} is named twice")
        if empty := [name for name, value in self.values.items() if value == ()]:
            raise ValueError(f"values.{empty[0]} is an empty list, which SQL has no way to write")
        if self.query is not None:
            check_query(self.query, known)
        return self


def query_text(params: SqlParams, project: Path) -> str:
    """Return the query as the user wrote it.

    Raises:
        UsageError: its file is not there, or does not hold one SELECT.
    """
    if params.file is None:
        return params.query or ""
    path = project_file(params.file, project, what="a .sql file")
    try:
        text = path.read_text(encoding="utf-8")
        check_query(text, [*params.names, *params.values])
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text: {error.reason}", hint="save it as UTF-8") from error
    except QueryTextError as error:
        raise UsageError(f"{path}: {error}", hint=HINT) from error
    return text


def query_state(params: SqlParams, context: SourceContext) -> str:
    """Return the hash of the query's text, so that a changed file is another query."""
    return content_hash(query_text(params, context.project))
