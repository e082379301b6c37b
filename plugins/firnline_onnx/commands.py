"""``firnline serve``: answer over HTTP with an exported model."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from firnline.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from firnline_onnx.server.settings import Settings

_DRAIN_S: Final = 30


@click.command()
@click.argument("model")
@click.option("--host", default="127.0.0.1", show_default=True, help="Listen on this address.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0: a free one.")
@click.option("--store", default=".firnline", show_default=True, type=click.Path(path_type=Path), help="Records.")
@click.option("--threshold", type=click.FloatRange(0, 1, min_open=True, max_open=True), help="For two classes.")
@click.option("--threads", default=1, show_default=True, type=click.IntRange(1, 256), help="Of onnxruntime.")
@click.option("--batch-rows", default=1_024, show_default=True, type=click.IntRange(1), help="Answered together.")
@click.option("--batch-wait-ms", default=0.0, show_default=True, type=click.FloatRange(0, 1_000), help="For others.")
@click.option("--queue-rows", default=20_000, show_default=True, type=click.IntRange(1), help="Wait; more get 429.")
@click.option("--request-rows", default=100_000, show_default=True, type=click.IntRange(1), help="Of one request.")
@click.option("--request-bytes", default=64_000_000, show_default=True, type=click.IntRange(1), help="Of one request.")
@click.option("--reload-seconds", default=2.0, show_default=True, type=click.FloatRange(0), help="0: on SIGHUP only.")
@click.option("--log-folder", type=click.Path(path_type=Path), help="Keep a sample of requests here, as Parquet.")
@click.option("--log-share", default=1.0, show_default=True, type=click.FloatRange(0, 1), help="Of the requests.")
@click.option("--log-rows", default=10_000, show_default=True, type=click.IntRange(1), help="Of a file.")
@click.option("--log-seconds", default=60.0, show_default=True, type=click.FloatRange(0.1), help="Until a file.")
def serve(
    model: str,
    *,
    host: str,
    port: int,
    store: Path,
    threshold: float | None,
    threads: int,
    batch_rows: int,
    batch_wait_ms: float,
    queue_rows: int,
    request_rows: int,
    request_bytes: int,
    reload_seconds: float,
    log_folder: Path | None,
    log_share: float,
    log_rows: int,
    log_seconds: float,
) -> None:
    """Answer over HTTP with MODEL.

    MODEL is the folder of an export, RUN/STAGE (a run's id, the start of one, or `last`), or the name of a registered
    model, with or without its version, whose newest export is taken. SIGHUP takes the model anew; SIGTERM answers what
    has been asked, then ends.
    """
    try:
        from firnline_onnx.server.settings import Settings
        from firnline_onnx.serving import run_server
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"{error.name} is not installed", hint="pip install 'firnline[onnx]'") from error
    _refuse_open_address(host)
    settings: Settings = Settings(
        batch_rows=batch_rows,
        batch_wait_ms=batch_wait_ms,
        queue_rows=queue_rows,
        request_rows=request_rows,
        request_bytes=request_bytes,
        threads=threads,
        threshold=threshold,
        reload_s=reload_seconds,
        log_folder=log_folder,
        log_share=log_share,
        log_rows=log_rows,
        log_s=log_seconds,
    )
    run_server(model, store, settings, host=host, port=port, drain_s=_DRAIN_S)


def _refuse_open_address(host: str) -> None:
    """Say what it means to listen to others; there is no authentication."""
    try:
        is_local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        if host != "localhost" and not host.replace("-", "").replace(".", "").isalnum():
            raise UsageError(
                f"{host!r} is no address", hint="say --host 127.0.0.1, or an address of this machine"
            ) from None
        is_local = host == "localhost"
    if not is_local:
        click.echo(f"warning: everybody who reaches {host} may ask; put a gateway that knows them in front", err=True)
