"""Params of ``features.snowpark`` and ``features.udf``, and the state of the code that they name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from firnline.domain import Params, content_hash
from firnline_snowpark.prepare.rules import ColumnType
from firnline_snowpark.query.params import Constant
from firnline_snowpark.query.project_code import REFERENCE, function_state

if TYPE_CHECKING:
    from firnline.domain import SourceContext


class FrameFunctionParams(Params):
    """A function of Snowpark data frames, called as ``function(**tables, **arguments)``; it returns a data frame."""

    function: str = Field(pattern=REFERENCE, description="The function, as package.module:function in the project.")
    names: tuple[str, ...] = Field(
        ("table",), description="The function's parameters that take the inputs, in the order in which these connect."
    )
    arguments: dict[str, Constant | tuple[Constant, ...]] = Field(
        default_factory=dict, description="Further arguments, by name."
    )

    @model_validator(mode="after")
    def _told_apart(self) -> FrameFunctionParams:
        known = [*self.names, *self.arguments]
        if repeated := sorted({name for name in known if known.count(name) > 1}):
            raise ValueError(f"{repeated[0]!r} is named twice")
        return self


class ColumnFunction(Params):
    """A new column: a function of the project over the values of other columns."""

    function: str = Field(pattern=REFERENCE, description="The function, as package.module:function in the project.")
    columns: tuple[str, ...] = Field(min_length=1, description="The columns that it is called with, in order.")
    type: ColumnType = Field(description="The type of what it returns.")
    vectorized: bool = Field(False, description="Whether it takes and returns pandas Series of many rows at once.")
    batch_rows: int | None = Field(None, ge=1, description="Of a vectorised one: how many rows at once at most.")
    nulls: Literal["called", "null"] = Field(
        "null", description="null: NULL where an argument is NULL, without a call (not of a vectorised one)."
    )


class ColumnFunctionsParams(Params):
    """Python functions that run on the platform, next to the rows."""

    apply: dict[str, ColumnFunction] = Field(min_length=1, description="New column → the function that makes it.")
    packages: tuple[str, ...] = Field((), description="Packages that the functions need there, e.g. numpy.")
    keep: tuple[str, ...] | None = Field(None, description="Columns to keep beside the new ones; default: all.")


def frame_function_state(params: FrameFunctionParams, context: SourceContext) -> str:
    """Return the fingerprint of the function's code."""
    return function_state(params.function, context.project)


def column_functions_state(params: ColumnFunctionsParams, context: SourceContext) -> str:
    """Return the fingerprint of all functions' code."""
    return content_hash([function_state(applied.function, context.project) for applied in params.apply.values()])
