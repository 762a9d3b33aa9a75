"""A server in a process of its own, and pictures to send it."""

from __future__ import annotations

import io
import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

from tools.browser import free_port

ROOT = Path(__file__).resolve().parents[1]
# What runs: the demo with a small page, the demo, or the service alone.
TINY = (str(Path(__file__).with_name("tiny_demo.py")),)
PAGE = ("-m", "adain", "demo")
SERVICE = ("-m", "adain", "serve")
CALLS = "/gradio_api/"
JSON = {"Content-Type": "application/json"}
PATIENCE = 120.0  # seconds for whatever should happen at once, on a machine under any load


class Demo:
    """A running demo; ``log`` is what it has written to stderr, complete when it has ended."""

    def __init__(self, *options: str, program: Sequence[str] = TINY, **variables: str) -> None:
        self.port = free_port()
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **variables}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [sys.executable, *program, "--port", str(self.port), *options],
            cwd=ROOT,
            env=environment,
            stdout=pipe,
            stderr=pipe,
            text=True,
        )
        self._lines: list[str] = []
        self._said: queue.Queue[str] = queue.Queue()
        for stream, take in (
            (self.process.stdout, self._said.put),
            (self.process.stderr, self._lines.append),
        ):
            threading.Thread(target=_read, args=(stream, take), daemon=True).start()
        self.address = f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return "".join(self._lines)

    def wait_until_ready(self) -> None:
        try:
            line = self._said.get(timeout=PATIENCE)
        except queue.Empty:
            self.process.kill()
            raise AssertionError(f"nothing was said; the log: {self.log}") from None
        assert f"{self.address}/" in line

    def client(self, **options: Any) -> httpx.Client:
        options = {"timeout": PATIENCE, **options}
        return httpx.Client(base_url=self.address, trust_env=False, **options)

    def async_client(self, **options: Any) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=None)
        return httpx.AsyncClient(
            base_url=self.address, trust_env=False, timeout=PATIENCE, limits=limits, **options
        )

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def number(self, name: str) -> float:
        """A line of /metrics."""
        with self.client() as client:
            text = client.get("/metrics").text
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
        assert found, f"no {name} in {text}"
        return float(found[1])


@contextmanager
def serving(*options: str, program: Sequence[str] = TINY, **variables: str) -> Iterator[Demo]:
    """A demo that at the end stops with status 0, and no traceback in its log."""
    demo = Demo(*options, program=program, **variables)
    try:
        demo.wait_until_ready()
        yield demo
        status = demo.process.poll()
        if status is None:
            status = demo.stop()
        assert status == 0, demo.log
        assert "Traceback" not in demo.log, demo.log
    finally:
        demo.process.kill()
        demo.process.wait()


def _read(stream: Any, take: Any) -> None:
    for line in stream:
        take(line)


def application(engine: Any) -> Any:
    """The service in this process, with no videos."""
    from adain.server import routes
    from adain.server.metrics import Metrics
    from adain.server.video.jobs import Videos

    videos = Videos(engine, Path("nowhere"))
    return routes.build(engine, Metrics(engine, videos), videos)


def waves(width: int, height: int, seed: int) -> np.ndarray:
    """A colourful uint8 picture [height, width, 3]."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    planes = [np.sin(x * a + y * b + c) for a, b, c in rng.uniform(0.02, 0.2, (3, 3))]
    return ((np.stack(planes, axis=-1) * 0.5 + 0.5) * 255).astype(np.uint8)


def encoded(pixels: np.ndarray, format: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format, **options)
    return buffer.getvalue()


def picture(width: int = 64, height: int = 48, seed: int = 0, format: str = "PNG") -> bytes:
    return encoded(waves(width, height, seed), format)


def pixels(body: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(body)))


def one_line(answer: httpx.Response) -> str:
    body = answer.json()
    assert set(body) == {"error"}
    assert "\n" not in body["error"]
    assert str(ROOT) not in body["error"]
    return str(body["error"])
