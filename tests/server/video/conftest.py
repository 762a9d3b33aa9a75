"""One service for the tests of its routes, and a video."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from serving import SERVICE, Demo, serving
from video_files import TIMES, drawn, encode
from video_jobs import LIMITS


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """What a job leaves is gone with it; a clean log at the end."""
    with serving(*LIMITS, program=SERVICE, TMPDIR=str(tmp_path_factory.mktemp("server"))) as demo:
        yield demo


@pytest.fixture
def client(server: Demo) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return encode(tmp_path / "a.mp4", [drawn(n) for n in range(len(TIMES))], TIMES, sound=True)
