"""CREATE MODEL and ALTER MODEL ... ADD VERSION: a version from the files of a stage, or from another model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from firnline_sandbox.catalog.snapshot import new_fields
from firnline_sandbox.errors import error, missing_object, unsupported
from firnline_sandbox.models.lineage import sources_of
from firnline_sandbox.models.lookup import find_model, model_for, room_of
from firnline_sandbox.models.manifest import MANIFEST_NAME, ManifestError, parse_manifest
from firnline_sandbox.models.objects import Model, ModelVersion, to_row
from firnline_sandbox.result import Result
from firnline_sandbox.statements.registry import statement

if TYPE_CHECKING:
    from pathlib import Path

    from firnline_sandbox.context import Context
    from firnline_sandbox.statements.scanner import Scanner


@statement("CREATE MODEL")
def create_model(context: Context, sql: str) -> Result:
    """``CREATE [OR REPLACE] MODEL [IF NOT EXISTS] m [WITH VERSION v] FROM @stage/path | MODEL other [VERSION w]``."""
    scanner = context.scanner(sql)
    scanner.expect("CREATE")
    replaces = scanner.take("OR", "REPLACE")
    scanner.expect("MODEL")
    unless_there = scanner.take("IF", "NOT", "EXISTS")
    parts = context.qualify(scanner.name())
    refuse_live_version(scanner, "WITH")
    version_name = scanner.identifier() if scanner.take("WITH", "VERSION") else "VERSION_1"
    existing = context.catalog.find(Model, parts)
    if existing is not None and unless_there:
        return Result.status(f"{parts[2]} already exists, statement succeeded.")
    if existing is not None and not replaces:
        # Not 2002: with this number the client knows that another session was faster, and adds a version instead.
        raise error(100132, "42710", f"SQL compilation error:\nObject '{existing.full_name}' already exists.")
    version = take_source(context, scanner, version_name)
    if existing is not None:
        forget_model(context, existing)
    fields = new_fields(database=parts[0], schema=parts[1], name=parts[2], owner=context.connection.role)
    context.catalog.add(Model(**fields, default_version=version.name, rows=(to_row(version),)))
    return Result.status(f"Model {parts[2]} successfully created.")


def add_version(context: Context, scanner: Scanner, model: Model) -> Result:
    """Read what follows ``ALTER MODEL m ADD`` and carry it out."""
    refuse_live_version(scanner)
    scanner.expect("VERSION")
    unnamed = scanner.sees("FROM")
    version_name = f"VERSION_{len(model.rows) + 1}" if unnamed else scanner.identifier()
    extended = model.with_version(
        ModelVersion.new(version_name)
    )  # refuses a name that is taken before files are copied
    version = take_source(context, scanner, version_name)
    context.catalog.put(model.with_version(version))
    return Result.status(f"Version {extended.versions[-1].name} successfully added to model {model.name}.")


def take_source(context: Context, scanner: Scanner, version_name: str) -> ModelVersion:
    """Read ``FROM ...`` and make the version whose files it names."""
    scanner.expect("FROM")
    version = ModelVersion.new(version_name)
    if scanner.take("MODEL"):
        source = model_for(context, scanner.name())
        copied = source.version(scanner.identifier() if scanner.take("VERSION") else "DEFAULT")
        folder, sources = room_of(context).files.folder(copied.id), copied.sources
    else:
        folder = _stage_folder(context, scanner.location())
        sources = sources_of(context, parse_manifest(folder))
    scanner.expect_end()
    _keep_files(context, version, folder)
    return replace(version, sources=sources)


def _stage_folder(context: Context, location: str) -> Path:
    if not location.startswith("@"):
        raise unsupported(f"CREATE MODEL FROM {location}")
    from firnline_sandbox.stages.locations import find_folder

    folder = find_folder(context, location)
    try:
        parse_manifest(folder)
    except ManifestError as failure:
        raise error(
            398507, "22000", f"SQL compilation error:\n{failure}. It was looked for in {location}/{MANIFEST_NAME}."
        ) from failure
    return folder


def _keep_files(context: Context, version: ModelVersion, source: Path) -> None:
    files = room_of(context).files
    files.add(version.id, source)
    context.transaction.after_rollback(lambda: files.remove(version.id))


def forget_model(context: Context, model: Model) -> None:
    """Take a model out of the catalog, and its files away once that is committed."""
    context.catalog.remove(model)
    for version in model.versions:
        forget_files(context, version)


def forget_files(context: Context, version: ModelVersion) -> None:
    """Take a version's files away once the transaction has committed."""
    room = room_of(context)

    def remove() -> None:
        room.workers.forget(room.files.folder(version.id))
        room.files.remove(version.id)

    context.transaction.after_commit(remove)


def refuse_live_version(scanner: Scanner, *before: str) -> None:
    """Refuse versions whose files are written one by one."""
    if scanner.sees(*before, "LIVE", "VERSION"):
        raise unsupported("LIVE VERSION of a model")


@statement("DROP MODEL")
def drop_model(context: Context, sql: str) -> Result:
    """``DROP MODEL [IF EXISTS] m``."""
    scanner = context.scanner(sql)
    scanner.expect("DROP", "MODEL")
    if_exists = scanner.take("IF", "EXISTS")
    name = scanner.name()
    scanner.expect_end()
    model = find_model(context, name)
    if model is None:
        if not if_exists:
            raise missing_object("model", ".".join(context.qualify(name)))
        return Result.status("Drop statement executed successfully (object already dropped).")
    forget_model(context, model)
    return Result.status(f"{model.name} successfully dropped.")
