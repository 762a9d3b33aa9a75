"""What the service counts, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.registry import Collector

from adain.server.engine import Engine

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """Requests by route and status, how long they took, and the state of an engine."""

    def __init__(self, engine: Engine) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "adain_requests",
            "Requests answered.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "adain_request_seconds",
            "From a request's head to the end of its answer; streams of events are left out.",
            ["route"],
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._registry.register(_EngineState(engine))
        ProcessCollector(registry=self._registry)

    def count(self, method: str, route: str, status: int, seconds: float | None) -> None:
        """A finished request; ``route`` is one of the known ones, never what a client wrote."""
        self._requests.labels(method, route, str(status)).inc()
        if seconds is not None:
            self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self._registry)


class _EngineState(Collector):
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterator[Any]:
        engine = self._engine
        yield GaugeMetricFamily(
            "adain_queue_length", "Requests accepted and not answered yet.", engine.queue.length
        )
        yield GaugeMetricFamily(
            "adain_queue_limit",
            "Requests that may be in the queue.",
            engine.queue.limit,
        )
        yield CounterMetricFamily("adain_pictures", "Pictures computed.", engine.queue.computed)
        yield CounterMetricFamily(
            "adain_cache_hits", "Pictures that were still decoded.", engine.cache_hits
        )
        devices = InfoMetricFamily("adain_device", "What the models run on.", labels=["model"])
        for model, device in engine.devices.items():
            devices.add_metric([model], {"device": device})
        yield devices
