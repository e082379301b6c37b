"""ALTER MODEL and COMMENT ON MODEL: names, versions, aliases, comments, metadata and tags."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from firnline_sandbox.catalog import changed
from firnline_sandbox.errors import error, unsupported
from firnline_sandbox.models.create import add_version, forget_files
from firnline_sandbox.models.lookup import find_model, model_for
from firnline_sandbox.result import Result
from firnline_sandbox.statements.registry import statement
from firnline_sandbox.statements.tags import set_tags, unset_tags

if TYPE_CHECKING:
    from firnline_sandbox.context import Context
    from firnline_sandbox.models.objects import Model, ModelVersion
    from firnline_sandbox.statements.scanner import Scanner

DONE = "Statement executed successfully."


@statement("ALTER MODEL")
def alter_model(context: Context, sql: str) -> Result:
    """Carry out any of the forms of ALTER MODEL."""
    scanner = context.scanner(sql)
    scanner.expect("ALTER", "MODEL")
    if_exists = scanner.take("IF", "EXISTS")
    name = scanner.name()
    if if_exists and find_model(context, name) is None:
        return Result.status(DONE)
    model = model_for(context, name)
    match scanner.take_any("ADD", "DROP", "COMMIT", "RENAME", "VERSION", "MODIFY", "SET", "UNSET"):
        case "ADD":
            return add_version(context, scanner, model)
        case "DROP":
            _drop_version(context, scanner, model)
        case "COMMIT":
            raise unsupported("COMMIT VERSION of a model")
        case "RENAME":
            scanner.expect("TO")
            new_name = context.qualify(scanner.name())
            scanner.expect_end()
            context.catalog.rename(model, new_name)
        case "VERSION":
            _alter_alias(context, scanner, model)
        case "MODIFY":
            _modify_version(context, scanner, model)
        case "SET":
            _set(context, scanner, model)
        case "UNSET":
            _unset(context, scanner, model)
        case _:
            raise scanner.unexpected()
    return Result.status(DONE)


@statement("COMMENT ON MODEL", "COMMENT IF EXISTS ON MODEL")
def comment_on_model(context: Context, sql: str) -> Result:
    """``COMMENT [IF EXISTS] ON MODEL m IS 'text'``."""
    scanner = context.scanner(sql)
    scanner.expect("COMMENT")
    if_exists = scanner.take("IF", "EXISTS")
    scanner.expect("ON", "MODEL")
    name = scanner.name()
    scanner.expect("IS")
    comment = scanner.text()
    scanner.expect_end()
    if not (if_exists and find_model(context, name) is None):
        context.catalog.put(changed(model_for(context, name), comment=comment))
    return Result.status(DONE)


def _drop_version(context: Context, scanner: Scanner, model: Model) -> None:
    scanner.expect("VERSION")
    version = model.version(scanner.identifier())
    scanner.expect_end()
    context.catalog.put(model.without_version(version))
    forget_files(context, version)


def _alter_alias(context: Context, scanner: Scanner, model: Model) -> None:
    version = model.version(scanner.identifier())
    if scanner.take("UNSET", "ALIAS"):
        altered = replace(version, alias=None)
    else:
        scanner.expect("SET", "ALIAS", "=")
        altered = model.with_alias(version, _name(scanner))
    scanner.expect_end()
    context.catalog.put(model.with_changed(altered))


def _modify_version(context: Context, scanner: Scanner, model: Model) -> None:
    scanner.expect("VERSION")
    version = model.version(scanner.identifier())
    scanner.expect("SET")
    while not scanner.at_end:
        version = _modified(scanner, version)
        scanner.take(",")
    context.catalog.put(model.with_changed(version))


def _modified(scanner: Scanner, version: ModelVersion) -> ModelVersion:
    match scanner.take_any("COMMENT", "METADATA"):
        case "COMMENT":
            scanner.expect("=")
            return replace(version, comment=scanner.text())
        case "METADATA":
            scanner.expect("=")
            return replace(version, metadata=_json_object(scanner.text()))
        case _:
            raise scanner.unexpected()


def _json_object(text: str) -> str:
    try:
        value = json.loads(text)
    except ValueError as failure:
        raise error(100069, "22P02", f"Error parsing JSON: {failure}") from failure
    if not isinstance(value, dict):
        raise error(1015, "42000", "SQL compilation error:\nthe metadata of a model version must be a JSON object")
    return text


def _set(context: Context, scanner: Scanner, model: Model) -> None:
    if scanner.take("TAG"):
        context.catalog.put(set_tags(context, scanner, model))
        return
    while not scanner.at_end:
        match scanner.take_any("COMMENT", "DEFAULT_VERSION"):
            case "COMMENT":
                scanner.expect("=")
                model = changed(model, comment=scanner.text())
            case "DEFAULT_VERSION":
                scanner.expect("=")
                model = changed(model, default_version=model.version(_name(scanner)).name)
            case _:
                raise scanner.unexpected()
        scanner.take(",")
    context.catalog.put(model)


def _unset(context: Context, scanner: Scanner, model: Model) -> None:
    if scanner.take("TAG"):
        context.catalog.put(unset_tags(context, scanner, model))
        return
    scanner.expect("COMMENT")
    scanner.expect_end()
    context.catalog.put(changed(model, comment=""))


def _name(scanner: Scanner) -> str:
    """Take a version's name or alias: an identifier, or a text that holds one."""
    return scanner.name()[-1] if scanner.here.kind in {"string", "dollars"} else scanner.identifier()
