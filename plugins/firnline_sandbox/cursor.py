"""A cursor of the sandbox in the shape of the connector's SnowflakeCursor."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from firnline_sandbox.binds import BatchBinds, bind_values, format_literals
from firnline_sandbox.errors import failed_query, invalid_argument, unknown_query
from firnline_sandbox.rows import arrow_for_client, pandas_for_client, python_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    import pyarrow as pa
    from snowflake.connector.cursor import ResultMetadata, ResultMetadataV2

    from firnline_sandbox.connection import SandboxConnection
    from firnline_sandbox.result import Result


class SandboxCursor:
    """Runs statements of one session and hands out their rows."""

    arraysize = 1
    lastrowid = None
    is_file_transfer = False

    def __init__(self, connection: SandboxConnection, *, as_dictionaries: bool = False) -> None:
        self.connection = connection
        self._connection = connection
        self.sfqid: str | None = None
        self.query: str | None = None
        self.rowcount: int | None = None
        self._request_id = uuid.uuid4()
        self._as_dictionaries = as_dictionaries
        self._closed = False
        self._result: Result | None = None
        self._rows: Iterator[tuple[Any, ...]] | None = None
        self._more: list[str] = []

    # -- running

    def execute(
        self,
        command: str,
        params: Sequence[Any] | dict[str, Any] | None = None,
        *_: Any,
        file_stream: BinaryIO | None = None,
        num_statements: int | None = None,
        _force_qmark_paramstyle: bool = False,
        _statement_params: dict[str, Any] | None = None,
        _exec_async: bool = False,
        **__: Any,
    ) -> SandboxCursor:
        """Run a statement, or several of them when ``num_statements`` is not 1.

        Raises:
            ProgrammingError: with Snowflake's number.
        """
        self._check_open()
        if _exec_async:
            self.execute_async(command, params, num_statements=num_statements, _statement_params=_statement_params)
            return self
        command, values = self._bound(command, params, qmark=_force_qmark_paramstyle)
        self._forget()
        self.query = command.strip(" \t\n\r")
        if num_statements is not None and num_statements != 1:
            self.sfqid, parts = self.connection.runner.run_several(_statements(command, num_statements), values)
            self._show_parts(parts)
            return self
        self.sfqid, result = self.connection.runner.run(
            command,
            values,
            file_stream=file_stream,
            keeps_transaction=_keeps_transaction(_statement_params),
            query_tag=(_statement_params or {}).get("QUERY_TAG"),
        )
        self._show(result)
        return self

    def executemany(self, command: str, seqparams: Sequence[Sequence[Any]], **_: Any) -> SandboxCursor:
        """Run an INSERT once for all rows of values, or another statement once for each."""
        self._check_open()
        rows = [list(row) for row in seqparams]
        if not rows:
            raise invalid_argument("No parameters are specified for the command: " + command)
        self._forget()
        self.query = command.strip(" \t\n\r")
        if self.connection._paramstyle == "qmark" and command.lstrip()[:6].upper() == "INSERT":  # noqa: SLF001
            self.sfqid, result = self.connection.runner.run(command, BatchBinds(rows))
            self._show(result)
            return self
        for row in rows:
            self.execute(command, row)
        return self

    def execute_async(
        self,
        command: str,
        params: Sequence[Any] | dict[str, Any] | None = None,
        *_: Any,
        num_statements: int | None = None,
        _statement_params: dict[str, Any] | None = None,
        **__: Any,
    ) -> dict[str, Any]:
        """Start a statement (or several) in the background; its id is under ``queryId``."""
        self._check_open()
        command, values = self._bound(command, params)
        self.query = command.strip(" \t\n\r")
        statements = [command] if num_statements in (None, 1) else _statements(command, num_statements or 0)
        self.sfqid = self.connection.start(statements, values, keeps_transaction=_keeps_transaction(_statement_params))
        return {"queryId": self.sfqid}

    def query_result(self, qid: str) -> SandboxCursor:
        """Show the result of an earlier query."""
        self.get_results_from_sfqid(qid)
        return self

    def get_results_from_sfqid(self, sfqid: str) -> None:
        """Show the result of an earlier or background query, waiting for it if need be.

        Raises:
            ProgrammingError: the query's own error; 709, the result is not kept any more.
        """
        self._forget()
        self.connection.wait(sfqid)
        outcome = self.connection.runner.outcome(sfqid)
        if isinstance(outcome, Exception):
            raise failed_query(sfqid, outcome)
        if outcome is None:
            raise unknown_query(sfqid)
        self.sfqid = sfqid
        if parts := self.connection.runner.parts(sfqid):
            self._show_parts(parts)
        else:
            self._show(outcome)

    def nextset(self) -> SandboxCursor | None:
        """Show the next statement's result of a multi-statement query; None when there is none."""
        if not self._more:
            return None
        self._show_parts(self._more)
        return self

    def _bound(self, command: str, params: Any, *, qmark: bool = False) -> tuple[str, list[Any]]:
        if qmark or self.connection._paramstyle in {"qmark", "numeric"}:  # noqa: SLF001
            return command, bind_values(params)
        if params is None:
            return command, []
        return format_literals(command, params), []

    def _show(self, result: Result) -> None:
        self._result = result
        self._rows = None
        self.rowcount = result.num_rows if result.rows_affected is None else result.rows_affected

    def _show_parts(self, parts: Sequence[str]) -> None:
        first, *self._more = parts
        outcome = self.connection.runner.outcome(first)
        if outcome is None or isinstance(outcome, Exception):
            raise unknown_query(first)
        self.sfqid = first
        self._show(outcome)

    def _forget(self) -> None:
        self._result = None
        self._rows = None
        self._more = []
        self._request_id = uuid.uuid4()

    # -- describing

    def _describe_internal(self, command: str, params: Any = None, **_: Any) -> list[ResultMetadataV2]:
        self._check_open()
        command, values = self._bound(command, params)
        self.sfqid, columns = self.connection.runner.describe(command, values)
        return [column.to_metadata() for column in columns]

    def describe(self, command: str, params: Any = None, **_: Any) -> list[ResultMetadata]:
        """Give the columns that a statement would return, without running it."""
        return [metadata._to_result_metadata_v1() for metadata in self._describe_internal(command, params)]  # noqa: SLF001

    @property
    def _description_internal(self) -> list[ResultMetadataV2] | None:
        return None if self._result is None else [column.to_metadata() for column in self._result.columns]

    @property
    def description(self) -> list[ResultMetadata] | None:
        """The columns of the result."""
        described = self._description_internal
        return None if described is None else [one._to_result_metadata_v1() for one in described]  # noqa: SLF001

    @property
    def _query_result_format(self) -> str:
        return "arrow" if self._result is not None and self._result.is_query else "json"

    # -- rows

    def _shown(self) -> Result:
        if self._result is None:
            raise invalid_argument("No results: run a statement first.")
        return self._result

    def __iter__(self) -> Iterator[Any]:
        if self._rows is None:
            self._rows = python_rows(self._shown(), self._zone)
        names = [column.name for column in self._shown().columns]
        for row in self._rows:
            yield dict(zip(names, row, strict=True)) if self._as_dictionaries else row

    def __next__(self) -> Any:
        return next(iter(self))

    def fetchone(self) -> Any:
        """Give the next row, or None."""
        return next(iter(self), None)

    def fetchmany(self, size: int | None = None) -> list[Any]:
        """Give the next rows."""
        rows = iter(self)
        wanted = self.arraysize if size is None else size
        return [row for row, _ in zip(rows, range(wanted), strict=False)] if wanted else []

    def fetchall(self) -> list[Any]:
        """Give all rows that are left."""
        return list(self)

    def fetch_arrow_all(self, force_return_table: bool = False) -> pa.Table | None:
        """Give the rows of a SELECT as an Arrow table; None for no rows unless a table is asked for.

        Raises:
            NotSupportedError: the statement was no SELECT.
        """
        self._check_query()
        table = arrow_for_client(self._shown().table(), **self._form)
        return table if table.num_rows or force_return_table else None

    def fetch_arrow_batches(self) -> Iterator[pa.Table]:
        """Give the rows of a SELECT as Arrow tables of bounded size."""
        import pyarrow as pa

        self._check_query()
        for batch in self._shown().batches():
            yield arrow_for_client(pa.Table.from_batches([batch]), **self._form)

    def fetch_pandas_all(self, **options: Any) -> pd.DataFrame:
        """Give the rows of a SELECT as a pandas frame.

        Raises:
            NotSupportedError: the statement was no SELECT.
        """
        self._check_query()
        return pandas_for_client(self._shown().table(), options, **self._form)

    def fetch_pandas_batches(self, **options: Any) -> Iterator[pd.DataFrame]:
        """Give the rows of a SELECT as pandas frames of bounded size; at least one."""
        import pyarrow as pa

        self._check_query()
        result = self._shown()
        count = 0
        for batch in result.batches():
            count += 1
            yield pandas_for_client(pa.Table.from_batches([batch]), options, **self._form)
        if not count:
            yield pandas_for_client(result.empty_table(), options, **self._form)

    @property
    def _form(self) -> dict[str, Any]:
        return {"decimals": self.connection.arrow_number_to_decimal, "zone": self._zone}

    @property
    def _zone(self) -> str:
        return str(self.connection.parameter("TIMEZONE"))

    def _check_query(self) -> None:
        if not self._shown().is_query:
            from snowflake.connector.errors import NotSupportedError

            raise NotSupportedError("Only the rows of a SELECT can be fetched as Arrow or pandas data.")

    # -- files

    def _upload(self, local_file_name: str, stage_location: str, options: dict[str, Any], **_: Any) -> None:
        self.execute(f"PUT {local_file_name} {_location_literal(stage_location)} {_options(options)}")

    def _upload_stream(
        self, input_stream: BinaryIO, stage_location: str, options: dict[str, Any] | None = None, **_: Any
    ) -> None:
        folder, _slash, name = stage_location.rpartition("/")
        self.execute(
            f"PUT 'file:///stream/{name}' {_location_literal(folder)} {_options(options or {})}",
            file_stream=input_stream,
        )

    upload_stream = _upload_stream

    def _download(self, stage_location: str, target_directory: str, options: dict[str, Any], **_: Any) -> None:
        target = target_directory if target_directory.startswith("'") else f"'{target_directory}'"
        self.execute(f"GET {_location_literal(stage_location)} {target} {_options(options)}")

    def _download_stream(self, stage_location: str, decompress: bool = False, **_: Any) -> BinaryIO:
        return self.connection.runner.staged_file(stage_location, decompress=decompress)

    # -- the rest of the surface

    def _log_telemetry_job_data(self, *_: Any, **__: Any) -> None:
        """Report nothing."""

    def reset(self, **_: Any) -> None:
        """Drop the result."""
        self._forget()

    def close(self) -> bool:
        """Close the cursor; False if it was closed already."""
        was_open = not self._closed
        self._closed = True
        return was_open

    def is_closed(self) -> bool:
        """Say whether the cursor or its session is closed."""
        return self._closed or self.connection.is_closed()

    def abort_query(self, qid: str) -> bool:
        """Cancel a running query."""
        return self.connection.runner.cancel(qid)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_open(self) -> None:
        self.connection.check_open()
        if self._closed:
            from snowflake.connector.errors import InterfaceError

            raise InterfaceError(msg="Cursor is closed in execute.", errno=252006)


def _keeps_transaction(statement_params: dict[str, Any] | None) -> bool:
    return bool((statement_params or {}).get("SNOWPARK_SKIP_TXN_COMMIT_IN_DDL"))


def _statements(command: str, expected: int) -> list[str]:
    from firnline_sandbox.errors import error
    from firnline_sandbox.translate import split_statements

    found = split_statements(command)
    if expected and len(found) != expected:
        raise error(
            8, "0A000", f"Actual statement count {len(found)} did not match the desired statement count {expected}."
        )
    return found


def _location_literal(location: str) -> str:
    if location.startswith("'"):
        return location
    if not location.startswith(("@", "snow://")):
        location = "@" + location
    return "'" + location.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _options(options: dict[str, Any]) -> str:
    return " ".join(f"{name.upper()} = {value}" for name, value in options.items() if value is not None)
