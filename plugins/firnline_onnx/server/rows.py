"""Rows of a request, JSON or Arrow: checked field by field, then as the file's inputs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import numpy as np
from pydantic import ConfigDict, Field, Strict, TypeAdapter, ValidationError
from typing_extensions import TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from firnline_onnx.signature import Input, Signature

MOST_PROBLEMS: Final = 100
_DRAFT: Final = "#/components/schemas/{model}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblem:
    """One thing that is wrong with a request.

    Attributes:
        row: which row, from 0; None: the request as a whole.
        field: which column, if it is one.
        message: what is wrong.
        value: what was sent, if it is short.
    """

    row: int | None
    field: str | None
    message: str
    value: Any = None


class BadRowsError(Exception):
    """The rows of a request cannot be used."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = tuple(problems[:MOST_PROBLEMS])


class RowReader:
    """Reads the rows of one model."""

    def __init__(self, signature: Signature) -> None:
        self._signature = signature
        row = TypedDict("Row", {given.name: _field(given) for given in signature.inputs})  # type: ignore[misc]
        row.__pydantic_config__ = ConfigDict(extra="forbid", title="Row")  # type: ignore[attr-defined]
        self._many: TypeAdapter[Any] = TypeAdapter(list[row])
        self._one: TypeAdapter[Any] = TypeAdapter(row)

    def schema(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the JSON schema of a request's body, and the schemas that it refers to."""
        row = self._one.json_schema(ref_template=_DRAFT)
        definitions = row.pop("$defs", {})
        reference = {"$ref": _DRAFT.format(model="Row")}
        many = {"type": "array", "items": reference, "minItems": 1, "title": "many rows"}
        return {"oneOf": [reference, many]}, {"Row": row, **definitions}

    def example(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return the inputs of one row."""
        return self._tensors([{given.name: _example(given) for given in self._signature.inputs}])

    def example_row(self) -> dict[str, Any]:
        """Return one row that is taken, for the documentation."""
        return {given.name: _example(given) for given in self._signature.inputs}

    def from_json(self, body: bytes) -> tuple[dict[str, np.ndarray[Any, Any]], int, bool]:
        """Return the inputs, the number of rows, and whether it was one row outside of a list.

        Raises:
            BadRowsError: naming rows and fields.
        """
        single = body.lstrip()[:1] == b"{"
        try:
            rows = [self._one.validate_json(body)] if single else self._many.validate_json(body)
        except ValidationError as error:
            problems = [_problem(found, single=single) for found in error.errors(include_url=False)]
            # A number may be a flag, too: one problem of a field is enough.
            first = {(problem.row, problem.field): problem for problem in reversed(problems)}
            raise BadRowsError(list(reversed(first.values()))) from error
        if not rows:
            raise BadRowsError([FieldProblem(row=None, field=None, message="there is no row to predict for")])
        return self._tensors(rows), len(rows), single

    def from_arrow(self, body: bytes) -> tuple[dict[str, np.ndarray[Any, Any]], int]:
        """Return the inputs and the number of rows of an Arrow IPC stream.

        Raises:
            BadRowsError: naming columns, and the first row that is wrong.
        """
        import pyarrow as pa

        try:
            with pa.ipc.open_stream(body) as stream:
                table = stream.read_all()
        except (pa.ArrowInvalid, OSError) as error:
            message = f"this is no Arrow IPC stream: {error}"
            raise BadRowsError([FieldProblem(row=None, field=None, message=message)]) from error
        names = [given.name for given in self._signature.inputs]
        problems = [
            FieldProblem(row=None, field=name, message="the model has no such input")
            for name in table.column_names
            if name not in names
        ]
        if not table.num_rows:
            problems.append(FieldProblem(row=None, field=None, message="there is no row to predict for"))
        inputs = {}
        for given in self._signature.inputs:
            try:
                inputs[given.name] = self._column(given, table)
            except BadRowsError as error:
                problems += error.problems
        if problems:
            raise BadRowsError(problems)
        return inputs, table.num_rows

    def _column(self, given: Input, table: pa.Table) -> np.ndarray[Any, Any]:
        import pyarrow as pa

        if table.column_names.count(given.name) != 1:
            message = "field required" if given.name not in table.column_names else "the column is there twice"
            raise BadRowsError([FieldProblem(row=None, field=given.name, message=message)])
        column = table.column(given.name)
        try:
            column = _cast(given, column)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            message = f"a column of {column.type} is no column of {given.kind}s: {error}"
            raise BadRowsError([FieldProblem(row=None, field=given.name, message=message)]) from error
        if column.null_count and not given.nullable:
            row = column.is_null().index(True).as_py()
            raise BadRowsError(
                [FieldProblem(row=row, field=given.name, message="the model takes no missing value here")]
            )
        if given.kind == "number":
            return self._numbers(given, column.to_numpy(zero_copy_only=False))
        return self._texts(given, column.to_pylist())

    def _tensors(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray[Any, Any]]:
        return {
            given.name: self._numbers(given, np.array([row[given.name] for row in rows], dtype=np.float64))
            if given.kind == "number"
            else self._texts(given, [row[given.name] for row in rows])
            for given in self._signature.inputs
        }

    def _numbers(self, given: Input, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        if np.isinf(values).any():
            row = int(np.isinf(values).argmax())
            raise BadRowsError([FieldProblem(row=row, field=given.name, message="a number must be finite")])
        return values.astype(np.float64, copy=False).reshape(-1, 1)

    def _texts(self, given: Input, values: Sequence[str | None]) -> np.ndarray[Any, Any]:
        missing = self._signature.missing_text
        if missing in values:
            message = f"{missing!r} stands for NULL inside of the model: send null"
            raise BadRowsError([FieldProblem(row=list(values).index(missing), field=given.name, message=message)])
        if given.categories:
            known = {*given.categories, None}
            for row, value in enumerate(values):
                if value not in known:
                    message = f"the model knows only {', '.join(map(repr, given.categories[:20]))}"
                    raise BadRowsError([FieldProblem(row=row, field=given.name, message=message, value=value)])
        return np.array([missing if value is None else value for value in values], dtype=object).reshape(-1, 1)


def _field(given: Input) -> Any:
    kind: Any
    if given.kind == "number":
        # A flag of the table is a number to the model.
        kind = Annotated[float, Strict(), Field(allow_inf_nan=False)] | Annotated[bool, Strict()]
    elif given.categories:
        kind = Literal[given.categories]
    else:
        kind = Annotated[str, Strict()]
    return kind | None if given.nullable else kind


def _cast(given: Input, column: Any) -> Any:
    """Return a column of doubles or of text."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if given.kind == "text":
        return column.cast(pa.string())
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        raise pa.ArrowInvalid("text is not read as numbers")
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    return column.cast(pa.float64())


def _example(given: Input) -> Any:
    if given.kind == "number":
        return 1.0
    return given.categories[0] if given.categories else "text"


def _problem(found: Any, *, single: bool) -> FieldProblem:
    """Turn pydantic's (place, …) into row and field; alternatives of one type are not told apart."""
    place = list(found["loc"])
    row: int | None = None
    if not single and place and isinstance(place[0], int):
        row = place.pop(0)
    field = str(place[0]) if place else None
    value = found.get("input")
    if isinstance(value, float) and not math.isfinite(value):
        value = str(value)  # JSON has no such number
    shown = value if isinstance(value, str | int | float | bool) and len(str(value)) <= 100 else None
    message = "the model has no such input" if found["type"] == "extra_forbidden" else str(found["msg"])
    return FieldProblem(row=0 if single and field else row, field=field, message=message, value=shown)
