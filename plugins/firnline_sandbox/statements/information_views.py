"""The views of INFORMATION_SCHEMA that are made from the catalog."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox.catalog import Database, FileFormat, Schema, Sequence, Stage, Table, View
from firnline_sandbox.functions.objects import Function, Procedure
from firnline_sandbox.stages.formats import complete
from firnline_sandbox.statements.information_schema import information_view
from firnline_sandbox.statements.show_containers import next_value
from firnline_sandbox.statements.show_relations import columns_of, constraint_name, relations
from firnline_sandbox.statements.sizes import estimated_bytes, row_counts
from firnline_sandbox.types import INTEGER, MAX_BINARY, MAX_TEXT, TEXT, TIMESTAMP_LTZ
from firnline_sandbox.workers.packages import installed_packages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firnline_sandbox.catalog import Entry, TableColumn
    from firnline_sandbox.context import Context
    from firnline_sandbox.functions.objects import Routine
    from firnline_sandbox.statements.listing import Columns

_TIMES: Final = frozenset({"CREATED", "LAST_ALTERED", "LAST_DDL"})


def described(names: str, *numbers: str) -> Columns:
    """Give columns for names in a text: times by their names, numbers as listed, texts for the rest."""
    return {name: TIMESTAMP_LTZ if name in _TIMES else INTEGER if name in numbers else TEXT for name in names.split()}


def _times(entry: Entry) -> dict[str, Any]:
    return {
        "CREATED": entry.created,
        "LAST_ALTERED": entry.altered,
        "LAST_DDL": entry.altered,
        "LAST_DDL_BY": None,
        "COMMENT": entry.comment or None,
    }


def _flag(value: bool) -> str:
    return "YES" if value else "NO"


DATABASES: Final = described(
    "DATABASE_NAME DATABASE_OWNER IS_TRANSIENT COMMENT CREATED LAST_ALTERED RETENTION_TIME TYPE "
    "REPLICABLE_WITH_FAILOVER_GROUPS OWNER_ROLE_TYPE",
    "RETENTION_TIME",
)


@information_view("DATABASES", DATABASES)
def databases(context: Context, _database: str) -> list[dict[str, Any]]:
    """List all databases."""
    return [
        _times(database)
        | {
            "DATABASE_NAME": database.name,
            "DATABASE_OWNER": database.owner,
            "IS_TRANSIENT": "NO",
            "RETENTION_TIME": 1,
            "TYPE": "STANDARD",
            "OWNER_ROLE_TYPE": "ROLE",
        }
        for database in context.catalog.entries(Database)
    ]


SCHEMATA: Final = described(
    "CATALOG_NAME SCHEMA_NAME SCHEMA_OWNER IS_TRANSIENT IS_MANAGED_ACCESS RETENTION_TIME "
    "DEFAULT_CHARACTER_SET_CATALOG DEFAULT_CHARACTER_SET_SCHEMA DEFAULT_CHARACTER_SET_NAME SQL_PATH CREATED "
    "LAST_ALTERED COMMENT REPLICABLE_WITH_FAILOVER_GROUPS OWNER_ROLE_TYPE",
    "RETENTION_TIME",
)


@information_view("SCHEMATA", SCHEMATA)
def schemata(context: Context, database: str) -> list[dict[str, Any]]:
    """List the schemas of a database, INFORMATION_SCHEMA among them."""
    rows = [
        _times(schema)
        | {
            "CATALOG_NAME": database,
            "SCHEMA_NAME": schema.name,
            "SCHEMA_OWNER": schema.owner,
            "IS_TRANSIENT": "NO",
            "IS_MANAGED_ACCESS": "NO",
            "RETENTION_TIME": 1,
            "OWNER_ROLE_TYPE": "ROLE",
        }
        for schema in context.catalog.entries(Schema, database=database)
    ]
    return [*rows, {"CATALOG_NAME": database, "SCHEMA_NAME": "INFORMATION_SCHEMA", "IS_TRANSIENT": "NO"}]


TABLES: Final = described(
    "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME TABLE_OWNER TABLE_TYPE IS_TRANSIENT CLUSTERING_KEY ROW_COUNT BYTES "
    "RETENTION_TIME SELF_REFERENCING_COLUMN_NAME REFERENCE_GENERATION USER_DEFINED_TYPE_CATALOG "
    "USER_DEFINED_TYPE_SCHEMA USER_DEFINED_TYPE_NAME IS_INSERTABLE_INTO IS_TYPED COMMIT_ACTION CREATED LAST_ALTERED "
    "LAST_DDL LAST_DDL_BY AUTO_CLUSTERING_ON COMMENT IS_TEMPORARY IS_ICEBERG IS_DYNAMIC IS_IMMUTABLE IS_HYBRID",
    "ROW_COUNT",
    "BYTES",
    "RETENTION_TIME",
)


@information_view("TABLES", TABLES)
def tables(context: Context, database: str) -> list[dict[str, Any]]:
    """List tables and views."""
    found = relations(context, database, None)
    counts = row_counts(context, [entry for entry in found if isinstance(entry, Table)])
    return [_table(entry, counts.get(entry.id)) for entry in found]


def _table(entry: Entry, rows: int | None) -> dict[str, Any]:
    no = dict.fromkeys(("IS_TRANSIENT", "IS_TEMPORARY", "IS_ICEBERG", "IS_IMMUTABLE", "IS_HYBRID"), "NO")
    row = no | _times(entry) | _location(entry, "TABLE") | {"TABLE_TYPE": entry.kind, "IS_TYPED": "YES"}
    row["IS_DYNAMIC"] = _flag(entry.kind == "DYNAMIC TABLE")
    if isinstance(entry, Table) and rows is not None:
        is_temporary = entry.session is not None
        row |= {
            "TABLE_TYPE": "TEMPORARY TABLE" if is_temporary else "BASE TABLE",
            "IS_TRANSIENT": _flag(entry.variety == "TRANSIENT"),
            "IS_TEMPORARY": _flag(is_temporary),
            "CLUSTERING_KEY": entry.cluster_by or None,
            "ROW_COUNT": rows,
            "BYTES": estimated_bytes(entry, rows),
            "RETENTION_TIME": 1,
            "AUTO_CLUSTERING_ON": _flag(bool(entry.cluster_by)),
        }
    row["IS_INSERTABLE_INTO"] = _flag(isinstance(entry, Table))
    return row


def _location(entry: Entry, what: str) -> dict[str, Any]:
    return {
        f"{what}_CATALOG": entry.database,
        f"{what}_SCHEMA": entry.schema,
        f"{what}_NAME": entry.name,
        f"{what}_OWNER": entry.owner,
    }


VIEWS: Final = described(
    "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME TABLE_OWNER VIEW_DEFINITION CHECK_OPTION IS_UPDATABLE INSERTABLE_INTO "
    "IS_SECURE CREATED LAST_ALTERED LAST_DDL LAST_DDL_BY COMMENT"
)


@information_view("VIEWS", VIEWS)
def views(context: Context, database: str) -> list[dict[str, Any]]:
    """List views with their definitions."""
    return [
        _times(view)
        | _location(view, "TABLE")
        | {
            "VIEW_DEFINITION": view.text,
            "CHECK_OPTION": "NONE",
            "IS_UPDATABLE": "NO",
            "INSERTABLE_INTO": "NO",
            "IS_SECURE": _flag(view.is_secure),
        }
        for view in context.catalog.entries(View, database=database, session=context.session_id)
    ]


COLUMNS: Final = described(
    "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME COLUMN_NAME ORDINAL_POSITION COLUMN_DEFAULT IS_NULLABLE DATA_TYPE "
    "CHARACTER_MAXIMUM_LENGTH CHARACTER_OCTET_LENGTH NUMERIC_PRECISION NUMERIC_PRECISION_RADIX NUMERIC_SCALE "
    "DATETIME_PRECISION INTERVAL_TYPE INTERVAL_PRECISION CHARACTER_SET_CATALOG CHARACTER_SET_SCHEMA "
    "CHARACTER_SET_NAME COLLATION_CATALOG COLLATION_SCHEMA COLLATION_NAME DOMAIN_CATALOG DOMAIN_SCHEMA DOMAIN_NAME "
    "UDT_CATALOG UDT_SCHEMA UDT_NAME SCOPE_CATALOG SCOPE_SCHEMA SCOPE_NAME MAXIMUM_CARDINALITY DTD_IDENTIFIER "
    "IS_SELF_REFERENCING IS_IDENTITY IDENTITY_GENERATION IDENTITY_START IDENTITY_INCREMENT IDENTITY_MAXIMUM "
    "IDENTITY_MINIMUM IDENTITY_CYCLE IDENTITY_ORDERED SCHEMA_EVOLUTION_RECORD COMMENT",
    "ORDINAL_POSITION",
    "CHARACTER_MAXIMUM_LENGTH",
    "CHARACTER_OCTET_LENGTH",
    "NUMERIC_PRECISION",
    "NUMERIC_PRECISION_RADIX",
    "NUMERIC_SCALE",
    "DATETIME_PRECISION",
    "INTERVAL_PRECISION",
    "MAXIMUM_CARDINALITY",
)


@information_view("COLUMNS", COLUMNS)
def columns(context: Context, database: str) -> list[dict[str, Any]]:
    """List the columns of tables and views."""
    return [
        _column(entry, number, column)
        for entry in relations(context, database, None)
        for number, column in enumerate(columns_of(entry), start=1)
    ]


def _column(entry: Entry, number: int, column: TableColumn) -> dict[str, Any]:
    start, step = column.increment or (None, None)
    return _typed(column) | {
        "TABLE_CATALOG": entry.database,
        "TABLE_SCHEMA": entry.schema,
        "TABLE_NAME": entry.name,
        "COLUMN_NAME": column.name,
        "ORDINAL_POSITION": number,
        "COLUMN_DEFAULT": column.default,
        "IS_NULLABLE": _flag(column.nullable),
        "DTD_IDENTIFIER": str(number),
        "IS_SELF_REFERENCING": "NO",
        "IS_IDENTITY": _flag(column.increment is not None),
        "IDENTITY_GENERATION": None if start is None else "BY DEFAULT",
        "IDENTITY_START": None if start is None else str(start),
        "IDENTITY_INCREMENT": None if step is None else str(step),
        "IDENTITY_CYCLE": None if start is None else "NO",
        "IDENTITY_ORDERED": None if start is None else "NO",
        "COMMENT": column.comment or None,
    }


def _typed(column: TableColumn) -> dict[str, Any]:
    type_ = column.type
    match type_.kind:
        case "NUMBER":
            return {
                "DATA_TYPE": "NUMBER",
                "NUMERIC_PRECISION": type_.precision,
                "NUMERIC_PRECISION_RADIX": 10,
                "NUMERIC_SCALE": type_.scale,
            }
        case "TEXT" | "NULL":
            length = type_.length or MAX_TEXT
            octets = min(length * 4, MAX_TEXT)
            return {"DATA_TYPE": "TEXT", "CHARACTER_MAXIMUM_LENGTH": length, "CHARACTER_OCTET_LENGTH": octets}
        case "BINARY":
            length = type_.length or MAX_BINARY
            return {"DATA_TYPE": "BINARY", "CHARACTER_MAXIMUM_LENGTH": length, "CHARACTER_OCTET_LENGTH": length}
        case "TIME" | "TIMESTAMP_NTZ" | "TIMESTAMP_LTZ" | "TIMESTAMP_TZ":
            return {"DATA_TYPE": type_.kind, "DATETIME_PRECISION": type_.scale}
        case _:
            return {"DATA_TYPE": type_.kind}


STAGES: Final = described(
    "STAGE_CATALOG STAGE_SCHEMA STAGE_NAME STAGE_URL STAGE_REGION STAGE_TYPE STAGE_OWNER COMMENT CREATED LAST_ALTERED "
    "ENDPOINT DIRECTORY_ENABLED"
)


@information_view("STAGES", STAGES)
def stages(context: Context, database: str) -> list[dict[str, Any]]:
    """List named stages."""
    return [
        _times(stage)
        | _location(stage, "STAGE")
        | {
            "STAGE_URL": stage.url or None,
            "STAGE_TYPE": "External Named" if stage.url else "Internal Named",
            "ENDPOINT": stage.endpoint or None,
            "DIRECTORY_ENABLED": _flag(stage.directory),
        }
        for stage in context.catalog.entries(Stage, database=database, session=context.session_id)
    ]


FILE_FORMATS: Final = described(
    "FILE_FORMAT_CATALOG FILE_FORMAT_SCHEMA FILE_FORMAT_NAME FILE_FORMAT_OWNER FILE_FORMAT_TYPE RECORD_DELIMITER "
    "FIELD_DELIMITER SKIP_HEADER DATE_FORMAT TIME_FORMAT TIMESTAMP_FORMAT BINARY_FORMAT ESCAPE "
    "ESCAPE_UNENCLOSED_FIELD TRIM_SPACE FIELD_OPTIONALLY_ENCLOSED_BY NULL_IF COMPRESSION "
    "ERROR_ON_COLUMN_COUNT_MISMATCH CREATED LAST_ALTERED COMMENT",
    "SKIP_HEADER",
)


@information_view("FILE_FORMATS", FILE_FORMATS)
def file_formats(context: Context, database: str) -> list[dict[str, Any]]:
    """List named file formats with their options."""
    rows = []
    for format_ in context.catalog.entries(FileFormat, database=database, session=context.session_id):
        whole = complete(format_.options)
        options = {name: value for name, value in whole.options.items() if name in FILE_FORMATS}
        texts = {
            name: value if isinstance(value, int) and name == "SKIP_HEADER" else _text(value)
            for name, value in options.items()
        }
        rows.append(_times(format_) | _location(format_, "FILE_FORMAT") | texts | {"FILE_FORMAT_TYPE": whole.type})
    return rows


def _text(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case list() | tuple():
            return f"[{', '.join(str(item) for item in value)}]"
        case _:
            return str(value)


SEQUENCES: Final = described(
    "SEQUENCE_CATALOG SEQUENCE_SCHEMA SEQUENCE_NAME SEQUENCE_OWNER DATA_TYPE NUMERIC_PRECISION NUMERIC_PRECISION_RADIX "
    "NUMERIC_SCALE START_VALUE MINIMUM_VALUE MAXIMUM_VALUE NEXT_VALUE INCREMENT CYCLE_OPTION CREATED LAST_ALTERED "
    "COMMENT ORDERED",
    "NUMERIC_PRECISION",
    "NUMERIC_PRECISION_RADIX",
    "NUMERIC_SCALE",
)


@information_view("SEQUENCES", SEQUENCES)
def sequences(context: Context, database: str) -> list[dict[str, Any]]:
    """List sequences."""
    return [
        _times(sequence)
        | _location(sequence, "SEQUENCE")
        | {
            "DATA_TYPE": "NUMBER",
            "NUMERIC_PRECISION": 38,
            "NUMERIC_PRECISION_RADIX": 10,
            "NUMERIC_SCALE": 0,
            "START_VALUE": str(sequence.start),
            "MINIMUM_VALUE": str(-(2**63)),
            "MAXIMUM_VALUE": str(2**63 - 1),
            "NEXT_VALUE": str(next_value(context, sequence)),
            "INCREMENT": str(sequence.step),
            "CYCLE_OPTION": "NO",
            "ORDERED": _flag(sequence.ordered),
        }
        for sequence in context.catalog.entries(Sequence, database=database, session=context.session_id)
    ]


TABLE_CONSTRAINTS: Final = described(
    "CONSTRAINT_CATALOG CONSTRAINT_SCHEMA CONSTRAINT_NAME TABLE_CATALOG TABLE_SCHEMA TABLE_NAME CONSTRAINT_TYPE "
    "IS_DEFERRABLE INITIALLY_DEFERRED ENFORCED COMMENT CREATED LAST_ALTERED RELY"
)


@information_view("TABLE_CONSTRAINTS", TABLE_CONSTRAINTS)
def table_constraints(context: Context, database: str) -> list[dict[str, Any]]:
    """List primary and unique keys; the sandbox keeps no foreign keys."""
    return [
        _times(table)
        | _location(table, "TABLE")
        | {
            "CONSTRAINT_CATALOG": table.database,
            "CONSTRAINT_SCHEMA": table.schema,
            "CONSTRAINT_NAME": constraint_name(table, short),
            "CONSTRAINT_TYPE": kind,
            "IS_DEFERRABLE": "NO",
            "INITIALLY_DEFERRED": "YES",
            "ENFORCED": "NO",
            "RELY": "NO",
            "COMMENT": None,
        }
        for table in context.catalog.entries(Table, database=database, session=context.session_id)
        for short, kind in _keys(table)
    ]


def _keys(table: Table) -> Iterator[tuple[str, str]]:
    if any(column.primary_key for column in table.columns):
        yield "PK", "PRIMARY KEY"
    if any(column.unique_key for column in table.columns):
        yield "UK", "UNIQUE"


ROUTINE: Final = (
    "{0}_CATALOG {0}_SCHEMA {0}_NAME {0}_OWNER ARGUMENT_SIGNATURE DATA_TYPE {0}_LANGUAGE {0}_DEFINITION CREATED "
    "LAST_ALTERED COMMENT HANDLER IMPORTS PACKAGES RUNTIME_VERSION IS_SECURE"
)
FUNCTIONS: Final = described(ROUTINE.format("FUNCTION") + " VOLATILITY IS_NULL_CALL IS_AGGREGATE IS_TABLE_FUNCTION")
PROCEDURES: Final = described(ROUTINE.format("PROCEDURE"))


@information_view("FUNCTIONS", FUNCTIONS)
def functions(context: Context, database: str) -> list[dict[str, Any]]:
    """List user-defined functions."""
    found = context.catalog.entries(Function, database=database, session=context.session_id)
    return [
        _routine(function, "FUNCTION")
        | {
            "VOLATILITY": "VOLATILE" if function.volatile else "IMMUTABLE",
            "IS_NULL_CALL": _flag(not function.strict),
            "IS_AGGREGATE": _flag(function.variety == "AGGREGATE"),
            "IS_TABLE_FUNCTION": _flag(function.variety == "TABLE"),
        }
        for function in found
    ]


@information_view("PROCEDURES", PROCEDURES)
def procedures(context: Context, database: str) -> list[dict[str, Any]]:
    """List stored procedures."""
    found = context.catalog.entries(Procedure, database=database, session=context.session_id)
    return [_routine(procedure, "PROCEDURE") for procedure in found]


def _routine(routine: Routine, what: str) -> dict[str, Any]:
    arguments = ", ".join(f"{argument.name} {argument.sql_type}" for argument in routine.arguments)
    return (
        _times(routine)
        | _location(routine, what)
        | {
            "ARGUMENT_SIGNATURE": f"({arguments})",
            "DATA_TYPE": routine.returns_shown,
            f"{what}_LANGUAGE": routine.language,
            f"{what}_DEFINITION": routine.body,
            "HANDLER": routine.handler or None,
            "IMPORTS": _text(routine.imports),
            "PACKAGES": _text(routine.packages),
            "RUNTIME_VERSION": routine.runtime_version or None,
            "IS_SECURE": _flag(routine.secure),
        }
    )


PACKAGES: Final = described("PACKAGE_NAME VERSION LANGUAGE RUNTIME_VERSION")


@information_view("PACKAGES", PACKAGES)
def packages(_context: Context, _database: str) -> list[dict[str, Any]]:
    """List what is installed where the sandbox runs: its functions and procedures can use nothing else."""
    return list(_installed())


@functools.cache
def _installed() -> tuple[dict[str, str], ...]:
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return tuple(
        {"PACKAGE_NAME": name, "VERSION": version, "LANGUAGE": "python", "RUNTIME_VERSION": python}
        for name, version in sorted(installed_packages().items())
    )
