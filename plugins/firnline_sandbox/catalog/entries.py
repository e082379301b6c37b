"""What the catalog holds: one frozen value an object, written as JSON beside the data."""

from __future__ import annotations

import datetime as dt
import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Final, TypeVar

from firnline_sandbox.types import Column, SnowflakeType


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An object of the catalog.

    ``id`` never changes and names what the object owns on disk (a physical table, a folder of files), so a rename
    touches the catalog alone. ``session`` is set for temporary objects: only that session sees them.
    """

    kind: ClassVar[str] = ""
    namespace: ClassVar[str] = ""

    id: str
    database: str = ""
    schema: str = ""
    name: str
    owner: str = "ACCOUNTADMIN"
    comment: str = ""
    created: dt.datetime
    altered: dt.datetime
    tags: Mapping[str, str] = field(default_factory=dict)
    session: int | None = None

    @property
    def key(self) -> tuple[str, str, str, str, int | None]:
        """Give what must be unique: the namespace, the three names, and the session of a temporary object."""
        return (self.namespace or self.kind, self.database, self.schema, self.name, self.session)

    @property
    def full_name(self) -> str:
        """Give the dotted name, quoted where Snowflake would show quotes."""
        from firnline_sandbox.statements.scanner import shown_identifier

        return ".".join(shown_identifier(part) for part in (self.database, self.schema, self.name) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Database(Entry):
    """A database."""

    kind: ClassVar[str] = "DATABASE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema(Entry):
    """A schema; its own name stands in ``name``."""

    kind: ClassVar[str] = "SCHEMA"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumn:
    """A column of a table or view.

    ``default`` is Snowflake SQL; ``sequence`` is the id of the DuckDB sequence behind AUTOINCREMENT.
    """

    name: str
    type: SnowflakeType
    physical: str
    nullable: bool = True
    default: str | None = None
    sequence: str | None = None
    increment: tuple[int, int] | None = None
    comment: str = ""
    primary_key: bool = False
    unique_key: bool = False

    @property
    def column(self) -> Column:
        """Give what the translator needs to know."""
        return Column(self.name, self.type, self.nullable, self.physical)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Entry):
    """A table. ``version`` changes with every change of its rows or columns."""

    kind: ClassVar[str] = "TABLE"
    namespace: ClassVar[str] = "RELATION"

    columns: tuple[TableColumn, ...]
    variety: str = "TABLE"
    version: int = 0
    cluster_by: str = ""
    is_tracked: bool = False
    """Whether its changes are kept, because it has a stream (see ``streams.capture``)."""

    @property
    def physical(self) -> str:
        """Give the DuckDB name of the table that holds the rows."""
        return f'data."t_{self.id}"'


@dataclass(frozen=True, slots=True, kw_only=True)
class View(Entry):
    """A view: the whole CREATE statement as it came, and the query in it."""

    kind: ClassVar[str] = "VIEW"
    namespace: ClassVar[str] = "RELATION"

    text: str
    query: str
    columns: tuple[TableColumn, ...]
    home: tuple[str, str]
    is_secure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage(Entry):
    """A stage; its files lie in the folder named by its id, or behind the URL of an external one."""

    kind: ClassVar[str] = "STAGE"

    url: str = ""
    endpoint: str = ""
    credentials: Mapping[str, Any] = field(default_factory=dict)

    file_format: Mapping[str, Any] = field(default_factory=dict)
    directory: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFormat(Entry):
    """A named file format: its options with upper-case names, TYPE among them."""

    kind: ClassVar[str] = "FILE FORMAT"

    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence(Entry):
    """A sequence, counted by a DuckDB sequence."""

    kind: ClassVar[str] = "SEQUENCE"

    start: int = 1
    step: int = 1
    ordered: bool = False

    @property
    def physical(self) -> str:
        """Give the DuckDB name of the sequence."""
        return f'data."s_{self.id}"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag(Entry):
    """A tag that objects may carry."""

    kind: ClassVar[str] = "TAG"

    allowed_values: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Warehouse(Entry):
    """A warehouse. The sandbox computes locally whatever the size, and charges what Snowflake would.

    ``statement_timeout`` is in seconds, 0 where the warehouse sets none.
    """

    kind: ClassVar[str] = "WAREHOUSE"

    size: str = "X-Small"
    auto_suspend: int = 600
    auto_resume: bool = True
    min_cluster_count: int = 1
    max_cluster_count: int = 1
    scaling_policy: str = "STANDARD"
    statement_timeout: int = 0
    resource_monitor: str = ""


ENTRY_CLASSES: Final[dict[str, type[Entry]]] = {
    cls.kind: cls for cls in (Database, Schema, Table, View, Stage, FileFormat, Sequence, Tag, Warehouse)
}

# Kinds of entries that live with their statements; their modules are imported when one is met.
_ELSEWHERE: Final[Mapping[str, tuple[str, str]]] = {
    "MODEL": ("firnline_sandbox.models.objects", "Model"),
    "FUNCTION": ("firnline_sandbox.functions.objects", "Function"),
    "PROCEDURE": ("firnline_sandbox.functions.objects", "Procedure"),
    "DYNAMIC TABLE": ("firnline_sandbox.dynamic.objects", "DynamicTable"),
    "TASK": ("firnline_sandbox.tasks.objects", "Task"),
    "STREAM": ("firnline_sandbox.streams.objects", "Stream"),
}

AnyEntry = TypeVar("AnyEntry", bound=Entry)


def changed(entry: AnyEntry, **changes: Any) -> AnyEntry:
    """Copy an entry with these fields changed and its time of change set to now."""
    return replace(entry, **changes, altered=dt.datetime.now(dt.UTC))


def to_json(entry: Entry) -> str:
    """Write an entry as JSON."""
    return json.dumps({item.name: _plain(getattr(entry, item.name)) for item in fields(entry)}, ensure_ascii=False)


def from_json(kind: str, text: str) -> Entry:
    """Read back what :func:`to_json` wrote."""
    data = json.loads(text)
    for name in ("created", "altered"):
        data[name] = dt.datetime.fromisoformat(data[name])
    if "columns" in data:
        data["columns"] = tuple(_column(column) for column in data["columns"])
    for name in ("home", "allowed_values"):
        if data.get(name) is not None:
            data[name] = tuple(data[name])
    return _entry_class(kind)(**data)


def _entry_class(kind: str) -> type[Entry]:
    if kind in ENTRY_CLASSES:
        return ENTRY_CLASSES[kind]
    if kind not in _ELSEWHERE:  # its module registers it, as those of all statements do
        from firnline_sandbox.statements.registry import load_builtin

        load_builtin()
        return ENTRY_CLASSES[kind]
    module, name = _ELSEWHERE[kind]
    found: type[Entry] = getattr(importlib.import_module(module), name)
    return found


def register_entry(cls: type[AnyEntry]) -> type[AnyEntry]:
    """Let the catalog hold entries of one more class."""
    ENTRY_CLASSES[cls.kind] = cls
    return cls


def _plain(value: Any) -> Any:
    match value:
        case dt.datetime():
            return value.isoformat()
        case SnowflakeType():
            return value.to_dict()
        case TableColumn():
            plain = {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
            return {name: item for name, item in plain.items() if item not in (None, "", False)} | {
                "nullable": value.nullable
            }
        case tuple() | list():
            return [_plain(item) for item in value]
        case Mapping():
            return dict(value)
        case _:
            return value


def _column(data: dict[str, Any]) -> TableColumn:
    increment = data.pop("increment", None)
    return TableColumn(
        type=SnowflakeType.from_dict(data.pop("type")), increment=tuple(increment) if increment else None, **data
    )
