"""What Prometheus is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest

if TYPE_CHECKING:
    from firnline_onnx.server.loaded import LoadedModel

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 4_096, 16_384)


class Figures:
    """The counters of one server, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter("firnline_requests", "Requests to predict.", ["status"], registry=self._registry)
        self.rows = Counter("firnline_rows", "Rows predicted for.", registry=self._registry)
        self.seconds = Histogram(
            "firnline_request_seconds", "Seconds of a request.", buckets=_SECONDS, registry=self._registry
        )
        self.batch_rows = Histogram(
            "firnline_batch_rows", "Rows answered together.", buckets=_ROWS, registry=self._registry
        )
        self.waiting_rows = Gauge("firnline_waiting_rows", "Rows that wait for an answer.", registry=self._registry)
        self.reloads = Counter("firnline_reloads", "Models taken anew.", ["outcome"], registry=self._registry)
        self.log_dropped = Gauge(
            "firnline_request_log_dropped_rows", "Rows that the request log could not keep.", registry=self._registry
        )
        self._model = Info("firnline_model", "The model that answers.", registry=self._registry)

    def show_model(self, model: LoadedModel) -> None:
        """Tell which model answers."""
        signature = model.signature
        self._model.info({"name": signature.name, "version": signature.version, "sha256": model.digest})

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        content: bytes = generate_latest(self._registry)
        return content
