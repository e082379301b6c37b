"""A session with the means to run a step of the plugin on it, as a run does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from snowflake.snowpark import Session

from firnline.domain import Artifact, StepContext, Table, content_hash, load_callable
from firnline.testing import step_context
from firnline_snowpark.plugin import STEPS

SPECS = {step.id: step for step in STEPS}
PORTS = ("customers", "events", "tickets")


class World:
    """A session, a folder, and the steps run on them."""

    def __init__(self, session: Session, folder: Path) -> None:
        self.session = session
        self.folder = folder
        self.schema = f"{session.get_current_database()}.{session.get_current_schema()}"

    def context(self, stage: str, key: str | None = None, **inputs: Artifact) -> StepContext:
        """Return the context of a fresh attempt. The keys of inputs depend on the port and the number of rows."""
        keys = {port: content_hash([port, getattr(given, "rows", None)])[:16] for port, given in inputs.items()}
        context = step_context(
            self.folder, stage=stage, schema=self.schema, session=lambda: self.session, input_keys=keys
        )
        return replace(context, key=key or context.key)

    def run(
        self,
        step_id: str,
        params: Mapping[str, Any] | None = None,
        stage: str = "",
        key: str | None = None,
        **inputs: Artifact,
    ) -> Any:
        """Run a step; the stage is called after the step's area unless it has a name."""
        spec = SPECS[step_id]
        context = self.context(stage or step_id.partition(".")[0], key, **inputs)
        outputs = load_callable(spec.run)(context, spec.params.model_validate(params or {}), **inputs)
        assert {name: type(artifact) for name, artifact in outputs.items()} == {
            name: port.kind for name, port in spec.outputs.items()
        }
        return outputs

    def table(self, columns: str, *rows: str) -> Table:
        """Make a table of rows of SQL values, e.g. ``table("ID INT, NAME TEXT", "1, 'a'")``."""
        name = self.context("given").table_name()
        self.session.sql(f"CREATE TABLE {name} ({columns})").collect()
        for row in rows:
            self.session.sql(f"INSERT INTO {name} SELECT {row}").collect()
        return Table(name=name, columns=tuple(self.session.table(name).columns))

    def rows(self, table: Table, *columns: str, order_by: str | None = None) -> list[tuple[Any, ...]]:
        """Return the rows of a table, ordered by the first column unless told otherwise."""
        frame = self.session.table(table.name)
        chosen = frame.select(*columns) if columns else frame
        return [tuple(row) for row in chosen.sort(order_by or chosen.columns[0]).collect()]

    def changed(self, table: Table, *statements: str) -> Table:
        """Return a copy of a table on which statements with ``{}`` for its name were run."""
        copy = replace(table, name=self.context("changed").table_name())
        self.session.sql(f"CREATE TABLE {copy.name} AS SELECT * FROM {table.name}").collect()
        for statement in statements:
            self.session.sql(statement.format(copy.name)).collect()
        return copy
