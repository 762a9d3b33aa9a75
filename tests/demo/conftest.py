"""One demo and one browser for all tests of the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("gradio")
pytest.importorskip("playwright.sync_api")

from optimizing import SIDE
from serving import PAGE, serving, waves
from visits import Visit

from adain.demo.gatys_run import Wanted
from adain.server.engine import Engine
from adain.server.settings import Settings
from tools.browser import CAMERA, FLAGS


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running demo, which at the end stops with status 0 and no complaint."""
    cache = tmp_path_factory.mktemp("cache")
    # A proxy that is not there: nothing the demo says to itself may go by way of it.
    variables = {"XDG_CACHE_HOME": str(cache), "HTTP_PROXY": "http://127.0.0.1:9"}
    with serving(program=PAGE, **variables) as demo:
        yield f"{demo.address}/"


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """An engine in this process, for what a tab computes."""
    engine = Engine(Settings(), "cpu")
    yield engine
    engine.close()


# Of a module: Playwright runs once at a time in a process, and other folders' tests use it too.
@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, *CAMERA])
        yield started
        started.close()


DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
}


@pytest.fixture
def visit(browser: Any, demo: str) -> Iterator[Visit]:
    """A fresh page with its first result shown; at the end nothing went elsewhere or wrong."""
    yield from visiting(browser, demo, DESKTOP)


@pytest.fixture
def phone(browser: Any, demo: str) -> Iterator[Visit]:
    """The same on a phone."""
    yield from visiting(browser, demo, PHONE)


def visiting(browser: Any, demo: str, device: dict[str, Any]) -> Iterator[Visit]:
    page = browser.new_page(**device)
    visit = Visit(page, demo)
    visit.open_result()
    yield visit
    page.close()
    assert visit.strangers == []
    assert visit.complaints == []


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


@pytest.fixture
def sticker(tmp_path: Path) -> Path:
    """A picture with an alpha channel."""
    path = tmp_path / "sticker.png"
    picture = Image.fromarray(waves(150, 97, 3))
    picture.putalpha(Image.fromarray(waves(150, 97, 4)[..., 0]))
    picture.save(path)
    assert np.asarray(picture).shape == (97, 150, 4)
    return path


@pytest.fixture
def wanted(content: Path, style: Path, vgg19_weights: Path) -> Wanted:
    """More iterations than any test waits for."""
    pytest.importorskip("torch")
    return Wanted(str(content), str(style), SIDE, 500, "content", "fast")
