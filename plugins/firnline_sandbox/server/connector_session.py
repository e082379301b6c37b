"""A session of a client that speaks the connector's protocol: its statements run in threads of their own."""

from __future__ import annotations

import collections
import concurrent.futures
import re
import shutil
import threading
import time
import uuid
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final

from firnline_sandbox import execution
from firnline_sandbox.errors import error, lost_transaction, unknown_query
from firnline_sandbox.history import new_query_id
from firnline_sandbox.result import Result
from firnline_sandbox.server import spool
from firnline_sandbox.server.chunks import ChunkFiles
from firnline_sandbox.server.connector_binds import bound_values
from firnline_sandbox.server.connector_data import row_type, text_rows, wire_batches
from firnline_sandbox.server.connector_files import transfer_handler
from firnline_sandbox.statements.words import leading_words
from firnline_sandbox.translate import split_statements

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from firnline_sandbox.connection import SandboxConnection
    from firnline_sandbox.types import Column

_SELECT: Final = 0x1000
_OTHER: Final = 0x4000
_MULTI: Final = 0xA000
_DML: Final = {"INSERT": 0x3100, "UPDATE": 0x3200, "DELETE": 0x3300, "MERGE": 0x3400}
_KEPT_QUERIES: Final = 50
_WORKERS: Final = 16
_POLL_S: Final = 0.01
_SCAN: Final = re.compile(r"select \* from table\(result_scan\('([0-9a-f-]{36})'\)\)", re.IGNORECASE)


class Query:
    """A statement of a client, or several under one id; carried out in a thread."""

    def __init__(self, verb: str, future: concurrent.futures.Future[Result | tuple[str, ...]]) -> None:
        self.verb = verb
        self.future = future
        self._lock = threading.Lock()
        self._data: dict[str, Any] | None = None

    @property
    def is_rows(self) -> bool:
        """Say whether it has ended with the rows of a SELECT."""
        if not self.future.done() or self.future.cancelled() or self.future.exception() is not None:
            return False
        outcome = self.future.result()
        return isinstance(outcome, Result) and outcome.is_query

    def data(self, query_id: str, session: ConnectorSession) -> dict[str, Any]:
        """Give the response's data, the same at every call.

        Raises:
            ProgrammingError: the statement's own error.
        """
        outcome = self.future.result()
        with self._lock:
            if self._data is None:
                if isinstance(outcome, tuple):
                    self._data = session.several_data(outcome)
                else:
                    self._data = session.result_data(outcome, self.verb)
            return self._data | {"queryId": query_id}


class ConnectorSession:
    """One login."""

    def __init__(self, connection: SandboxConnection, folder: Path) -> None:
        self.connection = connection
        self.files = ChunkFiles(folder)
        self._unread = spool.folder_of(folder) / f"{uuid.uuid4().hex}.put"
        self.last_used = time.monotonic()
        self.callers: set[int] = set()
        self._is_transaction_lost = False
        self._lock = threading.Lock()
        self._queries: collections.OrderedDict[str, Query] = collections.OrderedDict()
        self._by_request: collections.OrderedDict[str, str] = collections.OrderedDict()
        self._workers = concurrent.futures.ThreadPoolExecutor(_WORKERS, "firnline-sandbox-query")

    # -- statements

    def start(self, request_id: str, body: dict[str, Any]) -> str:
        """Start a statement, or find the one that the same request has started already."""
        with self._lock:
            if known := self._by_request.get(request_id):
                return known
            query_id = new_query_id()
            if request_id:
                self._by_request[request_id] = query_id
            text = str(body.get("sqlText", ""))
            if scanned := _SCAN.fullmatch(text.strip()):
                # How the connector asks for an earlier result anew. A large one is in its file, and only there.
                earlier = self._queries.get(scanned[1])
                if earlier is not None and earlier.is_rows:
                    self._queries[query_id] = earlier
                    return query_id
            words = leading_words(text)
            future = self._workers.submit(self._run, query_id, text, body)
            self._queries[query_id] = Query(words[0] if words else "", future)
            while len(self._queries) > _KEPT_QUERIES and next(iter(self._queries.values())).future.done():
                self._queries.popitem(last=False)
            while len(self._by_request) > 2 * _KEPT_QUERIES:
                self._by_request.popitem(last=False)
            return query_id

    def _run(self, query_id: str, text: str, body: dict[str, Any]) -> Result | tuple[str, ...]:
        if self._is_transaction_lost:
            self._is_transaction_lost = False
            raise lost_transaction("the client hung up in the middle of it")
        given = {str(name).upper(): value for name, value in (body.get("parameters") or {}).items()}
        values = bound_values(body.get("bindings"))
        count = int(given.get("MULTI_STATEMENT_COUNT", self.connection.parameter("MULTI_STATEMENT_COUNT")))
        statements = split_statements(text) if count != 1 else [text]
        if count not in (0, 1) and len(statements) != count:
            raise error(
                8,
                "0A000",
                f"Actual statement count {len(statements)} did not match the desired statement count {count}.",
            )
        runner = self.connection.runner
        if count != 1:
            _, parts = runner.run_several(statements, values, query_id=query_id)
            return parts
        _, result = runner.run(
            text,
            values,
            query_id=query_id,
            query_tag=given.get("QUERY_TAG"),
            keeps_transaction=bool(given.get("SNOWPARK_SKIP_TXN_COMMIT_IN_DDL")),
        )
        return result

    def find(self, query_id: str) -> Query:
        """Find a statement of this session, or the kept result of another's.

        Raises:
            ProgrammingError: 709, it is not kept any more.
        """
        with self._lock:
            found = self._queries.get(query_id)
        if found is not None:
            return found
        outcome = self.connection.runner.outcome(query_id)
        future: concurrent.futures.Future[Result | tuple[str, ...]] = concurrent.futures.Future()
        if parts := self.connection.runner.parts(query_id):
            future.set_result(parts)
        elif isinstance(outcome, Result):
            future.set_result(outcome)
        elif outcome is None:
            raise unknown_query(query_id)
        else:
            future.set_exception(outcome)
        return Query("", future)

    def status(self, query_id: str) -> str | None:
        """Say how far a query is."""
        with self._lock:
            found = self._queries.get(query_id)
        if found is not None and not found.future.done():
            return "RUNNING"
        if found is not None:
            return "FAILED_WITH_ERROR" if found.future.exception() is not None else "SUCCESS"
        return self.connection.runner.status(query_id)

    def abort(self, request_id: str) -> None:
        """Stop what a request started."""
        with self._lock:
            query_id = self._by_request.get(request_id)
        if query_id is not None:
            self.cancel(query_id)

    def cancel(self, query_id: str) -> None:
        """Stop a query, be it this session's or another's, also if it has not really begun."""
        with self._lock:
            found = self._queries.get(query_id)
        while not self.connection.runner.cancel(query_id):
            if found is None or found.future.done() or found.future.cancel():
                return
            time.sleep(_POLL_S)

    def describe(self, text: str, body: dict[str, Any]) -> dict[str, Any]:
        """Give the data of a response to a statement that is only described."""
        query_id, columns = self.connection.runner.describe(text, bound_values(body.get("bindings")))
        return self._data(columns) | {
            "queryId": query_id,
            "statementTypeId": _SELECT,
            "queryResultFormat": "arrow",
            "rowsetBase64": "",
            "total": 0,
            "returned": 0,
        }

    def transfer(self, text: str, body: dict[str, Any]) -> dict[str, Any]:
        """Give the data of a response to PUT or GET."""
        data: dict[str, Any] = {"queryId": new_query_id()}
        execution.read_only(
            self.connection, text, bound_values(body.get("bindings")), transfer_handler(data, self._unread)
        )
        return data

    # -- data of responses

    def _data(self, columns: Sequence[Column]) -> dict[str, Any]:
        connection = self.connection
        return {
            "parameters": [{"name": "TIMEZONE", "value": connection.parameter("TIMEZONE")}],
            "rowtype": row_type(columns),
            "finalDatabaseName": connection.database,
            "finalSchemaName": connection.schema,
            "finalWarehouseName": connection.warehouse,
            "finalRoleName": connection.role,
            "numberOfBinds": 0,
            "arrayBindSupported": True,
        }

    def result_data(self, result: Result, verb: str) -> dict[str, Any]:
        """Give the data that tells of a statement's result."""
        data = self._data(result.columns)
        if not result.is_query:
            rows = text_rows(result)
            kind = _OTHER if result.rows_affected is None else _DML.get(verb, _DML["INSERT"])
            return data | {
                "statementTypeId": kind,
                "queryResultFormat": "json",
                "rowset": rows,
                "total": len(rows),
                "returned": len(rows),
            }
        first, rows_there, file = self.files.split(wire_batches(result))
        chunks = [] if file is None else file.chunks
        data |= {
            "statementTypeId": _SELECT,
            "queryResultFormat": "arrow",
            "rowsetBase64": b64encode(first).decode(),
            "total": rows_there + sum(chunk.rows for chunk in chunks),
            "returned": rows_there,
        }
        if file is not None:
            data["chunkHeaders"] = {}
            data["chunks"] = [
                {
                    "url": f"/chunks/{file.key}/{number}",
                    "rowCount": chunk.rows,
                    "uncompressedSize": chunk.length,
                    "compressedSize": chunk.length,
                }
                for number, chunk in enumerate(chunks)
            ]
        return data

    def several_data(self, parts: tuple[str, ...]) -> dict[str, Any]:
        """Give the data that tells where the results of several statements are."""
        return self._data(Result.status().columns) | {
            "statementTypeId": _MULTI,
            "resultIds": ",".join(parts),
            "resultTypes": ",".join(str(_SELECT) for _ in parts),
            "queryResultFormat": "json",
            "rowset": [["Multiple statements executed successfully."]],
            "total": 1,
            "returned": 1,
        }

    # -- ending

    def lose_transaction(self) -> None:
        """Roll back the transaction of a client that is gone; should it come back, it is told."""
        if self.connection.transaction is not None:
            self._is_transaction_lost = True
            self.connection.runner.interrupt()
            self.connection.rollback()

    def end(self) -> None:
        """End the session."""
        self.connection.close()
        self._workers.shutdown(wait=False, cancel_futures=True)
        self.files.close()
        shutil.rmtree(self._unread, ignore_errors=True)
