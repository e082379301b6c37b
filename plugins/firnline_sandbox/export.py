"""Taking everything out of a sandbox: each table as Parquet, and the statements that make the objects anew."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from firnline.errors import UsageError
from firnline_sandbox.sessions import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firnline_sandbox.connection import SandboxConnection

STATEMENTS: Final = "schema.sql"


def export(path: str | Path, target: Path) -> list[str]:
    """Write a sandbox's tables and views to a new folder, which appears when it is whole; names the tables.

    Raises:
        UsageError: the folder exists.
    """
    if target.exists():
        raise UsageError(f"{target} exists already", hint="name a folder that does not")
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        with connect(path, database=None, schema=None) as connection:
            names = _export(connection, unfinished)
        unfinished.rename(target)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return names


def _export(connection: SandboxConnection, folder: Path) -> list[str]:
    folder.mkdir()
    statements = []
    names = []
    for database, schema in _schemas(connection):
        statements.append(f"CREATE DATABASE IF NOT EXISTS {_quoted(database)};")
        statements.append(f"CREATE SCHEMA IF NOT EXISTS {_quoted(database, schema)};")
        home = _quoted(database, schema)
        statements.append(f"USE SCHEMA {home};")
        dynamic: list[str] = []
        for row in _rows(connection, f"SHOW TABLES IN SCHEMA {home}"):
            full = _quoted(database, schema, row["name"])
            made = dynamic if row["is_dynamic"] == "Y" else statements
            made.append(_create_table(connection, full))
            _write_rows(connection, full, folder / database / schema / f"{_file_name(row['name'])}.parquet")
            names.append(full)
        views = _rows(connection, f"SHOW VIEWS IN SCHEMA {home}")
        statements += dynamic  # behind the tables that they read
        statements += [f"{view['text'].strip().rstrip(';')};" for view in views]
    (folder / STATEMENTS).write_text("\n".join(dict.fromkeys(statements)) + "\n", encoding="utf-8")
    return names


def _schemas(connection: SandboxConnection) -> Iterator[tuple[str, str]]:
    for database in _rows(connection, "SHOW DATABASES"):
        for schema in _rows(connection, f"SHOW SCHEMAS IN DATABASE {_quoted(database['name'])}"):
            if schema["name"] != "INFORMATION_SCHEMA":
                yield database["name"], schema["name"]


def _create_table(connection: SandboxConnection, full: str) -> str:
    quoted = full.replace("'", "''")
    ((text,),) = connection.cursor().execute(f"SELECT GET_DDL('TABLE', '{quoted}')").fetchall()
    return str(text)


def _write_rows(connection: SandboxConnection, full: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection.arrow_number_to_decimal_setter = True
    cursor = connection.cursor().execute(f"SELECT * FROM {full}")  # noqa: S608 (quoted)
    batches = cursor.fetch_arrow_batches()
    first = next(iter(batches), None)
    if first is None:
        first = cursor.fetch_arrow_all(force_return_table=True)
        assert first is not None
    with pq.ParquetWriter(path, first.schema) as writer:
        writer.write_table(first)
        for batch in batches:
            writer.write_table(pa.table(batch.columns, schema=first.schema))


def _rows(connection: SandboxConnection, sql: str) -> list[dict[str, Any]]:
    cursor = connection.cursor().execute(sql)
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _quoted(*names: str) -> str:
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def _file_name(name: str) -> str:
    return "".join(
        character if character.isalnum() or character in "_-. " else f"%{ord(character):02X}" for character in name
    )
