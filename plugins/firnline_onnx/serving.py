"""Run the server in this process until it is told to end."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import uvicorn

from firnline.errors import UsageError
from firnline_onnx.server.app import make_app
from firnline_onnx.server.find import find_export
from firnline_onnx.server.request_log import ADDED
from firnline_onnx.server.service import Service

if TYPE_CHECKING:
    from firnline_onnx.server.settings import Settings


def run_server(model: str, store: Path, settings: Settings, *, host: str, port: int, drain_s: int) -> None:
    """Serve a model; return when SIGTERM or SIGINT came and everything was answered.

    Raises:
        UsageError: there is no such model, or the port is taken.
    """
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    folder = Path.cwd()
    service = Service(lambda: find_export(model, store, folder), settings)
    names = [given.name for given in service.model.signature.inputs]
    if settings.log_folder is not None and (clash := [name for name in ADDED if name in names]):
        raise UsageError(
            f"the model's input {clash[0]} has the name of a column that the request log adds",
            hint="rename the column in SQL, or serve without --log-folder",
        )
    listening = _listen(host, port)
    address, found_port = listening.getsockname()[:2]
    signature = service.model.signature
    shown = f"[{address}]" if ":" in address else address
    click.echo(f"{signature.name} version {signature.version} answers on http://{shown}:{found_port}/predict")
    config = uvicorn.Config(
        make_app(service), log_level="warning", access_log=False, timeout_graceful_shutdown=drain_s, backlog=2_048
    )
    # uvicorn drains, then hands the signal on to whoever had it before: to be told to end is no failure.
    signal.signal(signal.SIGTERM, _leave)
    uvicorn.Server(config).run(sockets=[listening])


def _leave(*_: object) -> None:
    sys.exit(0)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise UsageError(
            f"cannot listen on {host}:{port}: {error.strerror}", hint="say another --port; 0 takes a free one"
        ) from error
    listening.listen(2_048)
    return listening
