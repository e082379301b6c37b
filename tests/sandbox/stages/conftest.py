"""A session with one stage, and a way to put files into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from firnline_sandbox.sessions import connect

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from firnline_sandbox.connection import SandboxConnection


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A connection, and a folder from which files are PUT into the stage ``st``."""

    connection: SandboxConnection
    folder: Path

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement and give its rows."""
        with self.connection.cursor() as cursor:
            found = cursor.execute(sql, params or None, _force_qmark_paramstyle=True).fetchall()
        return [tuple(row) for row in found]

    def put(self, name: str, content: str | bytes, *, compress: bool = False, into: str = "") -> None:
        """Put a file into the stage."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.rows(f"PUT file://{path} @st/{into} AUTO_COMPRESS = {compress} OVERWRITE = TRUE")


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    """Open a fresh sandbox with a stage."""
    with connect() as connection:
        made = Warehouse(connection, tmp_path)
        made.rows("CREATE STAGE st")
        yield made
