"""From ``@stage/path`` and ``snow://…`` to folders and files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from firnline_sandbox.catalog import Stage, Table
from firnline_sandbox.errors import invalid_argument, missing_object, unsupported
from firnline_sandbox.stages.files import UNFINISHED, StagedFile
from firnline_sandbox.statements.registry import find_scheme
from firnline_sandbox.statements.scanner import Scanner

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from firnline_sandbox.catalog import Entry
    from firnline_sandbox.context import Context
    from firnline_sandbox.stages.remote import Bucket

_USER_STAGE: Final = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A place in a stage (or behind a file scheme).

    Attributes:
        root: the local folder that holds the stage's files.
        prefix: the path inside it; files whose path starts with it are meant.
        shown: what LIST puts before a file's path.
        stage: the stage, if it is a named one.
        bucket: the storage, if the stage is an external one; ``root`` is then the folder of local copies.
        path: the location as it was written.
    """

    root: Path
    prefix: str
    shown: str
    path: str
    stage: Stage | None = None
    bucket: Bucket | None = None

    @property
    def folder(self) -> Path:
        """Give the prefix as a local folder."""
        return self.root / self.prefix


def resolve(context: Context, text: str, *, for_writing: bool = False) -> Location:
    """Find the place that ``@stage/path``, ``@~/path``, ``@%table/path`` or ``snow://…`` names.

    Raises:
        ProgrammingError: 2003, there is no such stage; 2, the scheme is not supported.
    """
    if "://" in text and not text.startswith("@"):
        return _behind_scheme(context, text, for_writing=for_writing)
    if not text.startswith("@"):
        raise invalid_argument(f"invalid stage location '{text}'; it starts with @")
    name, path = _cut(text[1:])
    prefix = _checked_path(path)
    if name == "~":
        return Location(root=context.engine.stages / _USER_STAGE, prefix=prefix, shown="", path=text)
    owner = _owner(context, name)
    stage = owner if isinstance(owner, Stage) else None
    if stage is not None and stage.url:
        return _external(context, stage, prefix, text)
    shown = f"{owner.name.lower()}/" if stage is not None else ""
    return Location(root=context.engine.stage_folder(owner), prefix=prefix, shown=shown, path=text, stage=stage)


def _external(context: Context, stage: Stage, prefix: str, text: str) -> Location:
    from firnline_sandbox.stages.remote import open_bucket  # it is Arrow's file systems that take their time

    cache = context.engine.stage_folder(stage)
    bucket = open_bucket(stage.url, stage.credentials, stage.endpoint, cache)
    return Location(root=cache, prefix=prefix, shown="", path=text, stage=stage, bucket=bucket)


def _cut(text: str) -> tuple[str, str]:
    """Cut ``db."S".st/path`` behind the stage's name."""
    if text == "~" or text.startswith("~/"):
        return "~", text[2:]
    found = re.match(r'((?:%?"(?:[^"]|"")*"|[^"/])+)(?:/(.*))?$', text, re.DOTALL)
    if found is None:
        raise invalid_argument(f"invalid stage location '@{text}'")
    return found[1], found[2] or ""


def _owner(context: Context, name: str) -> Entry:
    head, percent, table_name = name.rpartition("%")
    if percent:
        return context.table(Scanner(head + table_name).name())
    parts = context.qualify(Scanner(name).name())
    found = context.catalog.find(Stage, parts, context.session_id)
    if found is None:
        raise missing_object("stage", ".".join(parts))
    return found


def _checked_path(path: str) -> str:
    """Clean a path; none may lead out of its stage."""
    if ".." in PurePosixPath(path).parts:
        raise invalid_argument(f"invalid path '{path}' in a stage")
    return re.sub(r"/+", "/", path).lstrip("/")


def _behind_scheme(context: Context, text: str, *, for_writing: bool) -> Location:
    resolver = find_scheme(text)
    if resolver is None:
        raise unsupported(f"location {text.split('://', 1)[0]}://")
    local = resolver(context, text, for_writing)
    # LIST shows such files from the second part on: snow://model/name/versions/V/file is versions/V/file.
    inner = text.split("://", 1)[1].split("/", 2)
    shown = inner[2].rstrip("/") if len(inner) > 2 else ""
    if local.is_file():
        parent = shown.rpartition("/")[0]
        return Location(root=local.parent, prefix=local.name, shown=f"{parent}/" if parent else "", path=text)
    return Location(root=local, prefix="", shown=f"{shown}/" if shown else "", path=text)


def list_files(location: Location, pattern: str | None = None) -> Sequence[StagedFile]:
    """List the files at a location by name; a pattern is matched against the whole name, as Snowflake does."""
    matcher = re.compile(pattern) if pattern else None
    if location.bucket is not None:
        listed = location.bucket.list(location.prefix)
        chosen = [file for file in listed if matcher is None or matcher.fullmatch(file.name)]
        return sorted(chosen, key=lambda file: file.name)
    found = []
    for path in _walk(location.root):
        relative = path.relative_to(location.root).as_posix()
        if not relative.startswith(location.prefix):
            continue
        name = location.shown + relative
        if matcher is not None and not (matcher.fullmatch(name) or matcher.fullmatch(relative)):
            continue
        found.append(StagedFile(name=name, relative=relative, local=path))
    return sorted(found, key=lambda file: file.name)


def _walk(root: Path) -> Iterator[Path]:
    if not root.is_dir():
        return
    for path in root.rglob("*"):
        if path.is_file() and not path.name.startswith(UNFINISHED):
            yield path


def find_folder(context: Context, text: str) -> Path:
    """Give the local folder that a stage location names; it may be empty or absent."""
    location = resolve(context, text)
    if location.bucket is not None:
        raise unsupported(f"an external stage ({text}) in this place")
    return location.folder


def table_stage(context: Context, table: Table) -> Location:
    """Give a table's own stage."""
    return Location(root=context.engine.stage_folder(table), prefix="", shown="", path=f"@%{table.name}")
