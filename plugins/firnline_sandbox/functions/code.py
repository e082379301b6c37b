"""What a worker must know of a function or procedure to run it, and the Arrow types in which values travel."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from firnline_sandbox.functions.objects import TABLE, Procedure
from firnline_sandbox.types import SnowflakeType

if TYPE_CHECKING:
    from pathlib import Path

    from firnline_sandbox.functions.objects import Routine

FIELD: Final = "c{}"  # the n-th column of a table function's rows
ORIGIN: Final = "i"  # the number of the row of arguments that a row comes from; NULL after the last one

_ARROW: Final = {
    "BIGINT": pa.int64(),
    "HUGEINT": pa.decimal128(38, 0),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
    "TIME": pa.time64("us"),
    "TIMESTAMP": pa.timestamp("us"),
    "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
    "BLOB": pa.binary(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One function or procedure, ready to be loaded by a worker."""

    name: str
    variety: str
    handler: str
    body: str | None
    imports: tuple[str, ...]
    strict: bool
    names: tuple[str, ...]
    parameters: tuple[SnowflakeType, ...]
    returns: SnowflakeType | None
    columns: tuple[tuple[str, SnowflakeType], ...] | None
    with_session: bool = False

    def to_json(self) -> str:
        """Write it for the worker."""
        return json.dumps(
            {
                "name": self.name,
                "variety": self.variety,
                "handler": self.handler,
                "body": self.body,
                "imports": self.imports,
                "strict": self.strict,
                "names": self.names,
                "parameters": [type_.to_dict() for type_ in self.parameters],
                "returns": None if self.returns is None else self.returns.to_dict(),
                "columns": None if self.columns is None else [[name, type_.to_dict()] for name, type_ in self.columns],
                "with_session": self.with_session,
            }
        )

    @staticmethod
    def from_json(text: str) -> Code:
        """Read what :meth:`to_json` wrote."""
        fields: dict[str, Any] = json.loads(text)
        returns, columns = fields.pop("returns"), fields.pop("columns")
        return Code(
            parameters=tuple(SnowflakeType.from_dict(type_) for type_ in fields.pop("parameters")),
            returns=None if returns is None else SnowflakeType.from_dict(returns),
            columns=None
            if columns is None
            else tuple((name, SnowflakeType.from_dict(type_)) for name, type_ in columns),
            imports=tuple(fields.pop("imports")),
            names=tuple(fields.pop("names")),
            **fields,
        )


def code_of(routine: Routine, imports: list[Path]) -> Code:
    """Make what a worker loads of a catalog entry and the local files of its imports."""
    from firnline_sandbox.translate.parsing import parse_type

    return Code(
        name=routine.name,
        variety=routine.variety,
        handler=routine.handler,
        body=routine.body,
        imports=tuple(str(path) for path in imports),
        strict=routine.strict,
        names=tuple(argument.name for argument in routine.arguments),
        parameters=tuple(argument.type for argument in routine.arguments),
        returns=parse_type(routine.returns) if routine.variety != TABLE else None,
        columns=None
        if routine.output is None
        else tuple((name, parse_type(sql_type)) for name, sql_type in routine.output),
        with_session=isinstance(routine, Procedure),
    )


def wire_type(type_: SnowflakeType) -> str:
    """Name the DuckDB type in which a result leaves a worker: JSON travels as text."""
    return "VARCHAR" if type_.is_semi_structured else type_.duckdb


def wire_arrow_type(type_: SnowflakeType) -> pa.DataType:
    """Name the Arrow type of :func:`wire_type`."""
    name = wire_type(type_)
    if found := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", name):
        return pa.decimal128(int(found[1]), int(found[2]))
    return _ARROW.get(name, pa.string())


def rows_type(columns: tuple[tuple[str, SnowflakeType], ...]) -> str:
    """Name the DuckDB type of what a table function gives: a list of rows."""
    fields = [f"{ORIGIN} BIGINT"]
    fields += [f"{FIELD.format(position)} {wire_type(type_)}" for position, (_, type_) in enumerate(columns)]
    return f"STRUCT({', '.join(fields)})[]"
