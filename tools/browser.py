"""A running demo and a headless browser, for what looks at the page: pictures, timings, tests."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adain import AdaINError

ROOT = Path(__file__).resolve().parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
# A camera that Chromium brings, which needs no person's permission.
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


def free_port() -> int:
    """A port of this machine that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(*arguments: str, **variables: str) -> subprocess.Popen[str]:
    """`python -m demo` with these arguments and environment variables."""
    command = [sys.executable, "-m", "demo", *arguments]
    pipe = subprocess.PIPE
    environment = {**os.environ, **variables}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True)


@contextmanager
def serving(*arguments: str, **variables: str) -> Iterator[str]:
    """The address of a running demo, which is stopped at the end."""
    process = start("--port", str(free_port()), *arguments, **variables)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise AdaINError(f"the demo did not start: {process.communicate()[1].strip()}")
    try:
        yield line.split()[2]
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()


@contextmanager
def browsing(*flags: str) -> Iterator[Any]:
    """Playwright's handle of a headless Chromium, with more flags of its own."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise AdaINError(f"no browser: found none of {', '.join(BROWSERS)}; install one")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS, *flags])
        try:
            yield browser
        finally:
            browser.close()
