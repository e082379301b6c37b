"""A registered model asked from SQL: ``MODEL(db.schema.m, v)!PREDICT(…)``, with the columns as it has learned them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firnline.errors import DataError
from firnline_snowpark.columns import quoted
from firnline_snowpark.literals import literal
from firnline_snowpark.rows import feature_sql

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from snowflake.ml.model import ModelVersion

    from firnline_snowpark.rows import Kind

PREDICT: Final = "predict"
PREDICT_PROBA: Final = "predict_proba"
PREDICTION: Final = "PREDICTION"
MOST_ARGUMENTS: Final = 500
"""The registry packs the inputs of wider models into one OBJECT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function of a model version.

    Attributes:
        model: fully qualified name, ready for SQL.
        version: the version's exact name.
        name: the function's name, ready for SQL.
        packed: whether it gives an OBJECT with one key an output; else it gives its one output itself.
    """

    model: str
    version: str
    name: str
    packed: bool

    def sql(self, features: Sequence[str], kinds: Mapping[str, Kind]) -> str:
        """Return the call for the rows of a table.

        Args:
            features: columns in the model's order.
            kinds: of the table's columns.
        """
        arguments = [feature_sql(name, kinds[name]) for name in features]
        if len(arguments) > MOST_ARGUMENTS:
            pairs = (f"{literal(name)}, {sql}" for name, sql in zip(features, arguments, strict=True))
            arguments = [f"OBJECT_CONSTRUCT_KEEP_NULL({', '.join(pairs)})"]
        return f"MODEL({self.model}, {quoted(self.version)})!{self.name}({', '.join(arguments)})"


def probability(code: int) -> str:
    """Return the name of the output that holds a class's probability."""
    return f"PROBABILITY_{code}"


def function_of(version: ModelVersion, method: str) -> Function:
    """Return the function by which a version offers a method of the model.

    Raises:
        DataError: it offers none.
    """
    shown = version.show_functions()
    for info in shown:
        if info["target_method"] == method:
            return Function(
                model=version.fully_qualified_model_name,
                version=version.version_name,
                name=info["name"],
                packed=bool(info.get("is_object_output", True)),
            )
    raise DataError(
        f"{version.fully_qualified_model_name} version {version.version_name} has no function {method}",
        hint=f"it has {', '.join(info['name'] for info in shown)}",
    )


def output_sql(said: str, function: Function, output: str) -> str:
    """Return the expression that takes a number out of what a function said.

    Args:
        said: the column that holds it.
        function: the function.
        output: name of the output.
    """
    return f"CAST({said}[{literal(output)}] AS FLOAT)" if function.packed else f"CAST({said} AS FLOAT)"
