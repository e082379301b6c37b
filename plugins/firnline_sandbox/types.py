"""Snowflake's column types, and how each is kept in DuckDB, Arrow and the client's result metadata."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sqlglot import exp

MAX_TEXT: Final = 16777216
MAX_BINARY: Final = 8388608

SEMI_STRUCTURED: Final = frozenset({"VARIANT", "OBJECT", "ARRAY"})
TIMESTAMPS: Final = frozenset({"TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ"})


@dataclass(frozen=True, slots=True)
class SnowflakeType:
    """One Snowflake type: ``kind`` is the logical name; the other fields where the kind has them."""

    kind: str
    precision: int | None = None
    scale: int | None = None
    length: int | None = None

    @property
    def is_semi_structured(self) -> bool:
        """True for VARIANT, OBJECT and ARRAY, which are all kept as JSON."""
        return self.kind in SEMI_STRUCTURED

    @property
    def is_numeric(self) -> bool:
        """True for NUMBER and FLOAT."""
        return self.kind in {"NUMBER", "FLOAT"}

    @property
    def is_timestamp(self) -> bool:
        """True for the three TIMESTAMP kinds."""
        return self.kind in TIMESTAMPS

    @property
    def sql(self) -> str:
        """Spell the type as Snowflake's DESCRIBE TABLE does."""
        match self.kind:
            case "NUMBER":
                return f"NUMBER({self.precision},{self.scale})"
            case "TEXT":
                return f"VARCHAR({self.length or MAX_TEXT})"
            case "BINARY":
                return f"BINARY({self.length or MAX_BINARY})"
            case "TIME" | "TIMESTAMP_NTZ" | "TIMESTAMP_LTZ" | "TIMESTAMP_TZ":
                return f"{self.kind}(9)"
            case "NULL":
                return f"VARCHAR({MAX_TEXT})"
            case _:
                return self.kind

    @property
    def duckdb(self) -> str:
        """Name the DuckDB type that holds the values."""
        match self.kind:
            case "NUMBER":
                return f"DECIMAL({self.precision},{self.scale})" if self.scale else "BIGINT"
            case "FLOAT":
                return "DOUBLE"
            case "TEXT" | "NULL":
                return "VARCHAR"
            case "BINARY":
                return "BLOB"
            case "TIMESTAMP_NTZ":
                return "TIMESTAMP"
            case "TIMESTAMP_LTZ" | "TIMESTAMP_TZ":
                return "TIMESTAMPTZ"
            case "VARIANT" | "OBJECT" | "ARRAY":
                return "JSON"
            case _:
                return self.kind

    def to_dict(self) -> dict[str, Any]:
        """Give the fields that are set, for the catalog."""
        fields = {"kind": self.kind, "precision": self.precision, "scale": self.scale, "length": self.length}
        return {key: value for key, value in fields.items() if value is not None}

    @staticmethod
    def from_dict(fields: dict[str, Any]) -> SnowflakeType:
        """Read back what :meth:`to_dict` wrote."""
        return SnowflakeType(**fields)


def number(precision: int = 38, scale: int = 0) -> SnowflakeType:
    """NUMBER(precision, scale), its precision capped at 38."""
    return SnowflakeType("NUMBER", precision=min(precision, 38), scale=scale)


def text(length: int | None = None) -> SnowflakeType:
    """VARCHAR(length), at most Snowflake's default length."""
    return SnowflakeType("TEXT", length=min(length if length is not None else MAX_TEXT, MAX_TEXT))


INTEGER: Final = number()
FLOAT: Final = SnowflakeType("FLOAT")
TEXT: Final = text()
BOOLEAN: Final = SnowflakeType("BOOLEAN")
DATE: Final = SnowflakeType("DATE")
TIME: Final = SnowflakeType("TIME", precision=0, scale=9)
TIMESTAMP_NTZ: Final = SnowflakeType("TIMESTAMP_NTZ", precision=0, scale=9)
TIMESTAMP_LTZ: Final = SnowflakeType("TIMESTAMP_LTZ", precision=0, scale=9)
TIMESTAMP_TZ: Final = SnowflakeType("TIMESTAMP_TZ", precision=0, scale=9)
BINARY: Final = SnowflakeType("BINARY", length=MAX_BINARY)
VARIANT: Final = SnowflakeType("VARIANT")
OBJECT: Final = SnowflakeType("OBJECT")
ARRAY: Final = SnowflakeType("ARRAY")
NULL: Final = SnowflakeType("NULL")  # the type of a bare NULL; the client is told VARCHAR
INTERVAL: Final = SnowflakeType("INTERVAL")  # only inside expressions
ROW: Final = SnowflakeType("ROW")  # a tuple, only inside comparisons

_SIMPLE: Final = {
    "BOOLEAN": BOOLEAN,
    "DATE": DATE,
    "TIME": TIME,
    "FLOAT": FLOAT,
    "DOUBLE": FLOAT,
    "VARIANT": VARIANT,
    "OBJECT": OBJECT,
    "STRUCT": OBJECT,
    "ARRAY": ARRAY,
    "LIST": ARRAY,
    "DATETIME": TIMESTAMP_NTZ,
    "TIMESTAMP": TIMESTAMP_NTZ,
    "TIMESTAMPNTZ": TIMESTAMP_NTZ,
    "TIMESTAMPLTZ": TIMESTAMP_LTZ,
    "TIMESTAMPTZ": TIMESTAMP_TZ,
    "INT": INTEGER,
    "BIGINT": INTEGER,
    "SMALLINT": INTEGER,
    "TINYINT": INTEGER,
    "MEDIUMINT": INTEGER,
    "NULL": NULL,
}


def from_sqlglot(node: exp.DataType) -> SnowflakeType | None:
    """Translate a parsed type; None for a type that the sandbox lacks."""
    name = node.this.value if hasattr(node.this, "value") else str(node.this)
    arguments = [int(part.this.name) for part in node.expressions if part.this.name.isdigit()]
    if name == "DECIMAL":
        return number(*arguments) if arguments else INTEGER
    if name in {"VARCHAR", "TEXT", "NVARCHAR"}:
        return text(arguments[0] if arguments else None)
    if name in {"CHAR", "NCHAR", "BPCHAR"}:
        return text(arguments[0] if arguments else 1)
    if name in {"BINARY", "VARBINARY"}:
        return replace(BINARY, length=arguments[0] if arguments else MAX_BINARY)
    return _SIMPLE.get(name)


_DUCKDB_SIMPLE: Final = {
    "BOOLEAN": BOOLEAN,
    "DATE": DATE,
    "TIME": TIME,
    "DOUBLE": FLOAT,
    "FLOAT": FLOAT,
    "VARCHAR": TEXT,
    "BLOB": BINARY,
    "JSON": VARIANT,
    "TIMESTAMP WITH TIME ZONE": TIMESTAMP_LTZ,
}


def from_duckdb(name: str) -> SnowflakeType:
    """Give the Snowflake type that holds a DuckDB type's values (files and Arrow tables come in this way)."""
    upper = name.upper()
    if found := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", upper):
        return number(int(found[1]), int(found[2]))
    if upper in _DUCKDB_SIMPLE:
        return _DUCKDB_SIMPLE[upper]
    if upper.endswith(("INT", "INTEGER")):
        return INTEGER
    if upper.startswith("TIMESTAMP"):
        return TIMESTAMP_NTZ
    if upper.endswith("]"):
        return ARRAY
    if upper.startswith(("STRUCT", "MAP")):
        return OBJECT
    return TEXT


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table or a result.

    ``physical`` is its name inside DuckDB, which ignores case where Snowflake does not.
    """

    name: str
    type: SnowflakeType
    nullable: bool = True
    physical: str = ""

    def to_metadata(self) -> Any:
        """Describe the column as the connector's ``ResultMetadataV2``."""
        from snowflake.connector.constants import FIELD_NAME_TO_ID
        from snowflake.connector.cursor import ResultMetadataV2

        kind = {"NUMBER": "FIXED", "FLOAT": "REAL", "NULL": "TEXT"}.get(self.type.kind, self.type.kind)
        length = (self.type.length or MAX_TEXT) if kind == "TEXT" else self.type.length
        return ResultMetadataV2(
            name=self.name,
            type_code=FIELD_NAME_TO_ID[kind],
            is_nullable=self.nullable,
            display_size=None,
            internal_size=length,
            precision=self.type.precision,
            scale=self.type.scale,
        )
