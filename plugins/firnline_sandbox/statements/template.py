"""CREATE TABLE USING TEMPLATE: columns that a query over INFER_SCHEMA describes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from firnline_sandbox.catalog import TableColumn
from firnline_sandbox.errors import invalid_argument
from firnline_sandbox.translate.parsing import parse_type

if TYPE_CHECKING:
    from firnline_sandbox.context import Context
    from firnline_sandbox.statements.scanner import Scanner


def read_template(context: Context, scanner: Scanner) -> list[TableColumn]:
    """Read ``USING TEMPLATE ( query )`` and run the query: one array of objects, one for each column.

    Raises:
        ProgrammingError: 1015, the query's result describes no columns.
    """
    scanner.expect("USING", "TEMPLATE")
    rows = context.execute(scanner.balanced(), context.params).to_pylist()
    cells = [cell for row in rows for cell in row]
    described = json.loads(cells[0]) if len(cells) == 1 and isinstance(cells[0], str) else None
    if not isinstance(described, list) or not described:
        raise invalid_argument("the query of USING TEMPLATE must give one array that describes columns")
    described.sort(key=lambda column: column.get("ORDER_ID", 0))
    return [_column(column) for column in described]


def _column(described: dict[str, Any]) -> TableColumn:
    try:
        name, type_ = described["COLUMN_NAME"], parse_type(described["TYPE"])
    except KeyError as failure:
        raise invalid_argument(f"a column of USING TEMPLATE lacks {failure}") from failure
    return TableColumn(name=name, type=type_, physical="", nullable=described.get("NULLABLE", True) is not False)
