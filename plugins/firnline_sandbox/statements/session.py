"""Statements about the session: USE, ALTER SESSION, SET, transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firnline_sandbox.catalog import Warehouse
from firnline_sandbox.errors import missing_context, unsupported
from firnline_sandbox.execution import SessionTransaction
from firnline_sandbox.result import Result
from firnline_sandbox.statements.registry import statement

if TYPE_CHECKING:
    from firnline_sandbox.context import Context


@statement("USE", "USE DATABASE", "USE SCHEMA", writes=False)
def use(context: Context, sql: str) -> Result:
    """Change the current database, schema, or both."""
    scanner = context.scanner(sql)
    scanner.expect("USE")
    kind = scanner.take_any("DATABASE", "SCHEMA")
    parts = scanner.name()
    scanner.expect_end()
    connection, catalog = context.connection, context.catalog
    if kind != "SCHEMA" and len(parts) == 1:
        if catalog.database(parts[0]) is None:
            raise missing_context(parts[0])
        schema = "PUBLIC" if catalog.schema(parts[0], "PUBLIC") else None
        connection.use(parts[0], schema)
        return Result.status()
    database, schema_name = context.qualify_schema(parts)
    if catalog.schema(database, schema_name) is None:
        raise missing_context(".".join(parts))
    connection.use(database, schema_name)
    return Result.status()


@statement("USE WAREHOUSE", writes=False)
def use_warehouse(context: Context, sql: str) -> Result:
    """Change the current warehouse."""
    scanner = context.scanner(sql)
    scanner.expect("USE", "WAREHOUSE")
    (name,) = scanner.name()
    scanner.expect_end()
    if context.catalog.find(Warehouse, ("", "", name)) is None:
        raise missing_context(name)
    context.connection.warehouse = name
    return Result.status()


@statement("USE ROLE", writes=False)
def use_role(context: Context, sql: str) -> Result:
    """Accept the role that the session has: the sandbox has no others."""
    scanner = context.scanner(sql)
    scanner.expect("USE", "ROLE")
    (name,) = scanner.name()
    scanner.expect_end()
    if name != context.connection.role:
        raise missing_context(name)
    return Result.status()


@statement("USE SECONDARY ROLES", writes=False)
def use_secondary_roles(context: Context, sql: str) -> Result:
    """Accept it: every role may do everything in a sandbox."""
    scanner = context.scanner(sql)
    scanner.expect("USE", "SECONDARY", "ROLES")
    if scanner.take_any("ALL", "NONE") is None:
        raise scanner.unexpected()
    scanner.expect_end()
    return Result.status()


@statement("ALTER SESSION", writes=False)
def alter_session(context: Context, sql: str) -> Result:
    """Set or unset session parameters, all of them or none."""
    from firnline_sandbox.parameters import checked

    scanner = context.scanner(sql)
    scanner.expect("ALTER", "SESSION")
    verb = scanner.take_any("SET", "UNSET")
    if verb is None:
        raise scanner.unexpected()
    changes = {}
    while not scanner.at_end:
        name = scanner.identifier()
        if verb == "SET":
            scanner.expect("=")
            changes[name] = checked(name, scanner.value())
        scanner.take(",")
    for name, value in changes.items():
        context.connection.set_parameter(name, value)
    if verb == "UNSET":
        for word in scanner.words[3:]:
            if word.kind == "word":
                context.connection.unset_parameter(word.keyword)
    return Result.status()


@statement("BEGIN", "START TRANSACTION", writes=False)
def begin(context: Context, sql: str) -> Result:
    """Open a transaction; nothing happens if one is open."""
    scanner = context.scanner(sql)
    scanner.take("BEGIN")
    scanner.take("START")
    scanner.take_any("WORK", "TRANSACTION")
    if scanner.take("NAME"):
        scanner.identifier()
    if not scanner.at_end:
        raise unsupported("Snowflake Scripting")
    if context.connection.transaction is None:
        context.connection.transaction = SessionTransaction(context.connection)
    return Result.status()


@statement("COMMIT", writes=False)
def commit(context: Context, sql: str) -> Result:
    """Commit the open transaction; nothing happens if none is open."""
    _expect_end(context, sql)
    context.connection.commit()
    return Result.status()


@statement("ROLLBACK", writes=False)
def rollback(context: Context, sql: str) -> Result:
    """Roll back the open transaction; nothing happens if none is open."""
    _expect_end(context, sql)
    context.connection.rollback()
    return Result.status()


def _expect_end(context: Context, sql: str) -> None:
    scanner = context.scanner(sql)
    scanner.position += 1
    scanner.take("WORK")
    scanner.expect_end()
