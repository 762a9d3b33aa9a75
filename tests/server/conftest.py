"""One demo for all tests that do not need their own."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

if find_spec("gradio") and find_spec("prometheus_client"):
    import httpx
    from serving import Demo, serving
else:  # without the demo there is nothing to test
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def running() -> Iterator[Demo]:
    """Small limits, so that little is enough to pass them; a clean log at the end."""
    with serving("--max-upload", "1MB", "--max-pixels", "300k", "--queue", "40") as demo:
        yield demo


@pytest.fixture
def client(running: Demo) -> Iterator[httpx.Client]:
    with running.client() as client:
        yield client
