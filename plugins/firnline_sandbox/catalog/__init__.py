"""What exists in a sandbox: databases, schemas, tables with Snowflake types, views, stages and the like."""

from firnline_sandbox.catalog.entries import (
    Database,
    Entry,
    FileFormat,
    Schema,
    Sequence,
    Stage,
    Table,
    TableColumn,
    Tag,
    View,
    Warehouse,
    changed,
)
from firnline_sandbox.catalog.snapshot import Catalog

__all__ = [
    "Catalog",
    "Database",
    "Entry",
    "FileFormat",
    "Schema",
    "Sequence",
    "Stage",
    "Table",
    "TableColumn",
    "Tag",
    "View",
    "Warehouse",
    "changed",
]
