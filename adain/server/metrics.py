"""What the service counts, for Prometheus."""

from __future__ import annotations

import platform
from collections import Counter as Tally
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

from adain import __version__
from adain.server.engine import Engine
from adain.server.video.jobs import Videos

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
CONTENT_TYPE = CONTENT_TYPE_LATEST
STAGES = (
    ("wait", "adain_queue_wait_seconds", "How long a request waited for its turns."),
    (
        "compute",
        "adain_compute_seconds",
        "On the device, for a picture, a style or a frame of a video.",
    ),
)


class Metrics:
    """Requests by route and status, how long they took, and the state of an engine."""

    def __init__(self, engine: Engine, videos: Videos) -> None:
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
        self._stages = {
            kind: Histogram(name, about, buckets=BUCKETS, registry=self._registry)
            for kind, name, about in STAGES
        }
        self._refusals: Tally[str] = Tally()
        engine.queue.observe = self._observe
        self._registry.register(_EngineState(engine, videos, self._refusals))
        ProcessCollector(registry=self._registry)

    def count(self, method: str, route: str, status: int, seconds: float | None) -> None:
        """A finished request; ``route`` is one of the known ones, never what a client wrote."""
        self._requests.labels(method, route, str(status)).inc()
        if seconds is not None:
            self._seconds.labels(route).observe(seconds)

    def refuse(self, reason: str) -> None:
        """A request that was refused before it came to the queue."""
        self._refusals[reason] += 1

    def _observe(self, kind: str, seconds: float) -> None:
        self._stages[kind].observe(seconds)

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self._registry)


class _EngineState(Collector):
    def __init__(self, engine: Engine, videos: Videos, refusals: Tally[str]) -> None:
        self._engine, self._videos = engine, videos
        self._refusals = refusals

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
        yield from self._of_videos()
        devices = InfoMetricFamily("adain_device", "What the models run on.", labels=["model"])
        for model, device in engine.devices.items():
            devices.add_metric([model], {"device": device})
        yield devices
        refusals = CounterMetricFamily(
            "adain_refusals", "Requests refused, by the reason.", labels=["reason"]
        )
        for reason, count in (self._refusals + engine.refusals + self._videos.refusals).items():
            refusals.add_metric([reason], count)
        yield refusals
        build = InfoMetricFamily("adain_build", "What runs.")
        build.add_metric(
            [], {"version": __version__, "python": platform.python_version(), **runtime()}
        )
        yield build

    def _of_videos(self) -> Iterator[Any]:
        videos = self._videos
        yield GaugeMetricFamily(
            "adain_video_queue_length", "Videos that wait or are made.", videos.unfinished
        )
        yield GaugeMetricFamily("adain_video_bytes", "What videos take of the disk.", videos.disk)
        yield CounterMetricFamily("adain_video_frames", "Frames of videos made.", videos.frames)
        ended = CounterMetricFamily("adain_videos", "Videos, by their end.", labels=["state"])
        for state, count in videos.ended.items():
            ended.add_metric([state], count)
        yield ended


def runtime() -> dict[str, str]:
    """The version of ONNX Runtime."""
    import onnxruntime

    return {"onnxruntime": onnxruntime.__version__}
