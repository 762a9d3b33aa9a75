"""Videos that tests send to a service, and the jobs that it makes of them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
from serving import PATIENCE

LIMITS = (
    "--max-upload",
    "100kB",
    "--max-pixels",
    "300k",
    "--max-video",
    "400kB",
    "--max-video-seconds",
    "70",
    "--max-video-pixels",
    "20k",
)

# Lossless: what x264 leaves out otherwise is not the same in every run.
EXACT = 0


def send(client: httpx.Client, video: Path | bytes, **fields: Any) -> httpx.Response:
    """`POST /v1/video`; bytes are a file, and a list is a field for each of its values."""
    data = video if isinstance(video, bytes) else video.read_bytes()
    sent: list[tuple[str, Any]] = [("content", ("a.mp4", data))]
    for name, given in {"style_id": "night", **fields}.items():
        for value in given if isinstance(given, list) else [given]:
            file = ("b.png", value) if isinstance(value, bytes) else (None, str(value).encode())
            sent.append((name, file))
    return client.post("/v1/video", files=sent)


def job_of(answer: httpx.Response) -> str:
    assert answer.status_code == 202, answer.text
    return str(answer.headers["location"])


def end_of(client: httpx.Client, job: str) -> dict[str, Any]:
    until = time.monotonic() + PATIENCE
    while (about := client.get(job).json())["state"] in ("waiting", "running"):
        assert time.monotonic() < until, about
        time.sleep(0.05)
    return dict(about)
