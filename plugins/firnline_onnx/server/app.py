"""The routes."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response

from firnline_onnx.server import answers
from firnline_onnx.server.batching import BusyError, UnanswerableError
from firnline_onnx.server.rows import BadRowsError, FieldProblem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from firnline_onnx.server.loaded import LoadedModel
    from firnline_onnx.server.service import Service

ARROW: Final = "application/vnd.apache.arrow.stream"
JSON: Final = "application/json"
VERSION: Final = "X-Model-Version"
RETRY_S: Final = "1"


class _TooLargeError(Exception):
    """The request is larger than allowed."""


def make_app(service: Service) -> FastAPI:
    """Return the application around a service."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await service.start()
        yield
        await service.stop()

    app = FastAPI(title="Firnline model server", lifespan=lifespan, docs_url=None, redoc_url=None)

    async def predict(request: Request) -> Response:
        """Predict for one row or many."""
        started = time.perf_counter()
        response = await _predict(service, request)
        service.figures.requests.labels(str(response.status_code)).inc()
        service.figures.seconds.observe(time.perf_counter() - started)
        return response

    async def health() -> dict[str, str]:
        """Tell that the process lives."""
        return {"status": "alive"}

    async def ready() -> Response:
        """Tell whether requests are answered."""
        version = service.model.signature.version
        if service.is_ready:
            return JSONResponse({"status": "ready", "model_version": version})
        return JSONResponse({"status": "not ready"}, status_code=503)

    async def signature() -> Response:
        """Tell what the model takes and gives, and where it comes from."""
        return JSONResponse(service.model.signature.to_json())

    async def metrics() -> Response:
        """Tell Prometheus."""
        return Response(service.figures.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    app.add_api_route("/predict", predict, methods=["POST"], response_class=Response)
    app.add_api_route("/health", health, methods=["GET"])
    app.add_api_route("/ready", ready, methods=["GET"], response_class=JSONResponse)
    app.add_api_route("/signature", signature, methods=["GET"], response_class=JSONResponse)
    app.add_api_route("/metrics", metrics, methods=["GET"], response_class=Response)
    # As SageMaker asks.
    app.add_api_route("/invocations", predict, methods=["POST"], response_class=Response, include_in_schema=False)
    app.add_api_route("/ping", ready, methods=["GET"], response_class=JSONResponse, include_in_schema=False)
    # The schema follows the model, which may be replaced.
    app.openapi = lambda: _openapi(app, service.model)  # type: ignore[method-assign]
    return app


async def _predict(service: Service, request: Request) -> Response:
    model = service.model
    kind = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if kind not in {JSON, ARROW}:
        return _refusal(415, f"rows come as {JSON} or as {ARROW}, not as {kind!r}")
    try:
        body = await _body(request, service.settings.request_bytes)
        if kind == ARROW:
            inputs, rows = model.reader.from_arrow(body)
            single = False
        else:
            inputs, rows, single = model.reader.from_json(body)
        if rows > service.settings.request_rows:
            return _refusal(413, f"a request has {service.settings.request_rows:,} rows at most")
        said = await service.batcher.ask(model, inputs, rows)
    except _TooLargeError:
        return _refusal(413, f"a request has {service.settings.request_bytes:,} bytes at most")
    except BadRowsError as error:
        return _refusal(422, "the rows cannot be used", error.problems)
    except BusyError:
        return _refusal(429, "too many rows wait already: try again", headers={"Retry-After": RETRY_S})
    except UnanswerableError as error:
        return _refusal(422, f"the model cannot compute with these rows: {error}")
    found = answers.predictions(model.signature, said)
    service.figures.rows.inc(rows)
    service.keep(model, inputs, found)
    headers = {VERSION: model.signature.version}
    if kind == ARROW or ARROW in request.headers.get("accept", ""):
        return Response(answers.as_arrow(model.signature, found), media_type=ARROW, headers=headers)
    return Response(answers.as_json(model.signature, found, single=single), media_type=JSON, headers=headers)


async def _body(request: Request, most: int) -> bytes:
    if int(request.headers.get("content-length", "0")) > most:
        raise _TooLargeError
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > most:
            raise _TooLargeError
        pieces.append(piece)
    return b"".join(pieces)


def _refusal(
    status: int, message: str, problems: tuple[FieldProblem, ...] = (), headers: dict[str, str] | None = None
) -> Response:
    body: dict[str, Any] = {"message": message}
    if problems:
        body["problems"] = [asdict(problem) for problem in problems]
    return JSONResponse(body, status_code=status, headers=headers)


def _openapi(app: FastAPI, model: LoadedModel) -> dict[str, Any]:
    signature = model.signature
    document = get_openapi(
        title=f"{signature.name}", version=signature.version, description=f"Predicts {signature.target}.",
        routes=app.routes,
    )  # fmt: skip
    body, schemas = model.reader.schema()
    prediction = {"$ref": "#/components/schemas/Prediction"}
    problem = {
        "type": "object",
        "properties": {
            "message": {"type": "string"},
            "problems": {"type": "array", "items": {"$ref": "#/components/schemas/FieldProblem"}},
        },
        "required": ["message"],
    }
    field_problem = {
        "type": "object",
        "properties": {
            "row": {"type": ["integer", "null"]},
            "field": {"type": ["string", "null"]},
            "message": {"type": "string"},
            "value": {},
        },
    }
    schemas |= {"Prediction": answers.schema(signature), "Refusal": problem, "FieldProblem": field_problem}
    document.setdefault("components", {})["schemas"] = schemas
    refusal = {"content": {JSON: {"schema": {"$ref": "#/components/schemas/Refusal"}}}}
    operation = document["paths"]["/predict"]["post"]
    operation["requestBody"] = {
        "required": True,
        "content": {
            JSON: {"schema": body, "example": model.reader.example_row()},
            ARROW: {"schema": {"type": "string", "format": "binary"}},
        },
    }
    operation["responses"] = {
        "200": {
            "description": "One prediction for one row, a list for a list.",
            "headers": {VERSION: {"schema": {"type": "string"}}},
            "content": {
                JSON: {"schema": {"oneOf": [prediction, {"type": "array", "items": prediction}]}},
                ARROW: {"schema": {"type": "string", "format": "binary"}},
            },
        },
        "413": {"description": "Too many rows or bytes.", **refusal},
        "415": {"description": "Neither JSON nor Arrow.", **refusal},
        "422": {"description": "Rows that the model cannot take, field by field.", **refusal},
        "429": {"description": "Too many rows wait already.", **refusal},
    }
    return document
