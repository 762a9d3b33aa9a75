"""The demo as a person meets it: a process of its own, and a real browser."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from adain import Stylizer

pytest.importorskip("gradio")
sync_api = pytest.importorskip("playwright.sync_api")

ROOT = Path(__file__).resolve().parents[1]
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # this machine only
TIMEOUT = 20.0  # seconds for whatever should happen at once


@dataclass
class Visit:
    """A page of the demo, and what it asked of others or complained about."""

    page: Any
    address: str
    strangers: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self) -> None:
        self.page.route("**/*", self._route)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(self.address)
        self.page.wait_for_selector("#result img", timeout=TIMEOUT * 1000)

    def _route(self, route: Any) -> None:
        if route.request.url.startswith((self.address, "data:", "blob:")):
            route.continue_()
        else:
            self.strangers.append(route.request.url)
            route.abort()

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def upload(self, place: str, file: Path) -> None:
        self.page.set_input_files(f"#{place} input[type=file]", file)

    def set_strength(self, strength: float) -> None:
        self.page.fill("#strength input[type=range]", str(strength))

    def result(self) -> Image.Image | None:
        """The picture in the place of the result, fetched as the browser does."""
        shown = self.page.locator("#result img")
        if not shown.count():
            return None
        response = self.page.request.get(shown.get_attribute("src"))
        assert response.ok
        assert response.headers["content-type"] == "image/png"
        return Image.open(io.BytesIO(response.body()))

    def expect(self, wanted: Image.Image) -> None:
        """Wait until the result is `wanted`, pixel for pixel."""
        until = time.monotonic() + TIMEOUT
        while True:
            found = self.result()
            if found is not None and found.mode == wanted.mode and found.size == wanted.size:
                same = np.array_equal(np.asarray(found), np.asarray(wanted))
                if same:
                    return
            assert time.monotonic() < until, f"the result stays {found}, not {wanted}"
            time.sleep(0.1)


def start(*arguments: str, **variables: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "demo", *arguments]
    environment = {**os.environ, **variables}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running demo, which at the end stops with status 0 and no complaint."""
    port = free_port()
    cache = tmp_path_factory.mktemp("cache")
    # A proxy that is not there: nothing the demo says to itself may go by way of it.
    process = start("--port", str(port), XDG_CACHE_HOME=str(cache), HTTP_PROXY="http://127.0.0.1:9")
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        pytest.fail(process.communicate()[1])
    address = f"http://127.0.0.1:{port}/"
    assert address in line
    yield address
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0
    assert "Traceback" not in errors


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def visit(browser: Any, demo: str) -> Iterator[Visit]:
    """A fresh page with its first result shown; at the end nothing went elsewhere or wrong."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    visit = Visit(page, demo)
    visit.open()
    yield visit
    page.close()
    assert visit.strangers == []
    assert visit.complaints == []


@pytest.fixture(scope="module")
def stylizer() -> Stylizer:
    return Stylizer(model="fast", device="auto")


def waves(width: int, height: int, seed: int) -> np.ndarray:
    """A colourful uint8 picture [height, width, 3]."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    planes = [np.sin(x * a + y * b + c) for a, b, c in rng.uniform(0.02, 0.2, (3, 3))]
    return ((np.stack(planes, axis=-1) * 0.5 + 0.5) * 255).astype(np.uint8)


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """301 x 203 as stored, to be shown turned upright: 203 x 301."""
    path = tmp_path / "content picture.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(waves(301, 203, 1)).save(path, exif=exif)
    return path


@pytest.fixture
def style(tmp_path: Path) -> Path:
    path = tmp_path / "style.png"
    Image.fromarray(waves(240, 180, 2)).save(path)
    return path


def test_result_is_the_stylizers_and_follows_the_slider(
    visit: Visit, stylizer: Stylizer, content: Path, style: Path
) -> None:
    visit.upload("content", content)
    visit.upload("style", style)
    full = stylizer.stylize(content, style, alpha=1.0)
    assert full.size == (203, 301)
    visit.expect(full)
    visit.set_strength(0.3)
    weak = stylizer.stylize(content, style, alpha=0.3)
    assert not np.array_equal(np.asarray(full), np.asarray(weak))
    visit.expect(weak)
    assert re.fullmatch(r"\d+ ms on \S+ · 203 x 301", visit.page.inner_text("#caption").strip())


def test_a_drag_ends_at_the_last_position(
    visit: Visit, stylizer: Stylizer, content: Path, style: Path
) -> None:
    visit.upload("content", content)
    visit.upload("style", style)
    slider = visit.page.locator("#strength input[type=range]")
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    visit.page.mouse.move(box["x"] + box["width"] - 8, y)
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + box["width"] * 0.2, y, steps=60)
    visit.page.mouse.up()
    strength = float(slider.input_value())
    assert 0.1 < strength < 0.3
    visit.expect(stylizer.stylize(content, style, alpha=strength))


def test_alpha_reaches_the_stylizer_and_comes_back(
    visit: Visit, stylizer: Stylizer, style: Path, tmp_path: Path
) -> None:
    path = tmp_path / "sticker.png"
    picture = Image.fromarray(waves(150, 97, 3))
    picture.putalpha(Image.fromarray(waves(150, 97, 4)[..., 0]))
    picture.save(path)
    visit.upload("style", style)
    visit.upload("content", path)
    wanted = stylizer.stylize(path, style)
    assert wanted.mode == "RGBA"
    visit.expect(wanted)


def test_an_example_replaces_a_picture(
    visit: Visit, stylizer: Stylizer, content: Path, style: Path
) -> None:
    visit.upload("content", content)
    visit.upload("style", style)
    visit.expect(stylizer.stylize(content, style))
    visit.page.locator("#styles-to-try button").nth(1).click()
    taken = visit.page.locator("#style img[src*='stained-glass.jpg']")
    taken.wait_for(timeout=TIMEOUT * 1000)
    drawing = visit.page.request.get(taken.get_attribute("src")).body()
    visit.expect(stylizer.stylize(content, drawing))


def test_only_uploads_are_read(demo: str, content: Path) -> None:
    for path in ({"path": str(content)}, {"path": "/etc/passwd"}):
        body = json.dumps({"data": [path, path, 1, "fast"]}).encode()
        address = f"{demo}gradio_api/call/stylize"
        asked = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        with OPENER.open(asked, timeout=TIMEOUT) as response:
            event = json.load(response)["event_id"]
        with OPENER.open(f"{address}/{event}", timeout=TIMEOUT) as response:
            answer = response.read().decode()
        assert "event: error" in answer
        assert "event: complete" not in answer
        assert Path(path["path"]).name not in answer


def test_a_broken_file_gives_one_sentence_and_the_page_works_on(
    visit: Visit, stylizer: Stylizer, content: Path, style: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "notes <b>today.jpg"
    broken.write_text("Buy more turpentine.\n" * 20)
    visit.upload("style", style)
    visit.upload("content", broken)
    toast = visit.page.wait_for_selector("[data-testid=toast-body]", timeout=TIMEOUT * 1000)
    sentence = visit.page.inner_text("#caption").strip()
    assert "today.jpg: " in sentence
    assert "\n" not in sentence
    assert "/" not in sentence  # no folder of the server
    assert sentence in toast.inner_text()
    visit.complaints.clear()  # the browser's own, that this is no picture to show
    visit.page.get_by_label("Remove Image").first.click()
    visit.upload("content", content)
    visit.expect(stylizer.stylize(content, style))


def test_it_fits_a_phone(visit: Visit) -> None:
    shots = os.environ.get("ADAIN_SCREENSHOTS")
    for name, width, height in (("desktop", 1280, 900), ("phone", 390, 844)):
        visit.page.set_viewport_size({"width": width, "height": height})
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
        for label in ("Content", "Style", "Result", "Strength", "Model"):
            assert visit.page.get_by_text(label, exact=True).first.is_visible()
        if shots:
            Path(shots).mkdir(parents=True, exist_ok=True)
            visit.page.wait_for_timeout(500)
            visit.page.screenshot(path=Path(shots) / f"demo-{name}.png", full_page=True)


def test_a_taken_port_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start("--port", str(port))
        output, errors = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 2
    assert output == ""
    assert errors.count("\n") == 1
    assert f"127.0.0.1:{port}" in errors
    assert "--port" in errors
