"""The tab where styles are painted on: its maps, and strokes in a real browser."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import error_of
from PIL import Image
from visits import TIMEOUT

from adain import Stylizer, load_image

gr = pytest.importorskip("gradio")

from adain.demo import widgets
from adain.demo.tabs import paint
from adain.drawings import catalog
from adain.server.engine import Engine

LOOK = ("fast", False, 1.0, "768")
STYLES = list(catalog.STYLES)[:3]


def map_of(masks: np.ndarray, format: str = "PNG") -> str:
    """uint8 masks [h, w, 3] as the browser sends them."""
    buffer = io.BytesIO()
    Image.fromarray(masks).save(buffer, format)
    return paint.MAP_TYPE + base64.b64encode(buffer.getvalue()).decode()


@pytest.fixture(scope="module")
def halves() -> np.ndarray:
    """Style 1 on the left, style 3 at half its strength on the right: uint8 [10, 16, 3]."""
    masks = np.zeros((10, 16, 3), np.uint8)
    masks[:, :8, 0] = 255
    masks[:, 8:, 2] = 128
    return masks


@pytest.fixture
def content(tmp_path: Path, photo: np.ndarray) -> str:
    path = tmp_path / "photo.png"
    Image.fromarray(photo).save(path)
    return str(path)


@pytest.fixture(scope="module")
def styles() -> list[str]:
    return [str(widgets.drawn(name)) for name in STYLES]


def test_a_map_is_the_masks_of_three_styles(halves: np.ndarray) -> None:
    masks = paint.masks_of(map_of(halves))
    assert masks.dtype == np.float32
    assert np.array_equal(masks, np.float32(halves).transpose(2, 0, 1) / 255)


def test_a_map_at_its_limits_is_taken() -> None:
    side = paint.MAP_SIDE
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 4), np.uint8)
    assert len(map_of(noise)) < paint.MAP_LENGTH
    assert paint.masks_of(map_of(noise)).shape == (3, side, side)


@pytest.mark.parametrize(
    ("painted", "found"),
    [
        (None, "nothing painted"),
        ("", "nothing painted"),
        ({"path": "/etc/hostname"}, "nothing painted"),
        ("/etc/hostname", "text that starts with '/etc/hostname'"),
        ("data:image/svg+xml;base64,AAAA", "text that starts with"),
        (paint.MAP_TYPE + "no base64!", "no base64"),
        (paint.MAP_TYPE + "é", "no base64"),
        (paint.MAP_TYPE + "A" * paint.MAP_LENGTH, "characters"),
        (paint.MAP_TYPE, "no PNG"),
        (map_of(np.zeros((8, 8, 3), np.uint8), "JPEG"), "no PNG"),
        (map_of(np.zeros((8, 8, 3), np.uint8))[:78], "cannot be decoded"),
        (map_of(np.zeros((257, 256, 3), np.uint8)), "256 x 257 pixels"),
    ],
)
def test_what_is_no_map_is_refused_in_a_sentence(painted: object, found: str) -> None:
    message = error_of(lambda: paint.masks_of(painted))
    assert message.startswith("map: ")
    assert found in message


def test_the_result_is_the_stylizers_with_these_masks(
    engine: Engine, stylizer: Stylizer, content: str, styles: list[str], halves: np.ndarray
) -> None:
    result = paint.make(engine)(content, map_of(halves), *styles, *LOOK).result
    masks = paint.masks_of(map_of(halves))
    wanted = stylizer.stylize(content, [styles[0], styles[2]], masks=[masks[0], masks[2]])
    assert np.array_equal(result.to_array(), np.asarray(wanted))


def test_paint_of_a_style_that_is_not_there_stays_content(
    engine: Engine, stylizer: Stylizer, content: str, styles: list[str], halves: np.ndarray
) -> None:
    values = (content, map_of(halves), styles[0], None, None)
    result = paint.make(engine)(*values, *LOOK).result
    wanted = stylizer.stylize(content, [styles[0]], masks=[halves[..., 0]])
    assert np.array_equal(result.to_array(), np.asarray(wanted))
    assert paint.missing(*values, *LOOK) == " · style 3 has no picture yet"


def test_without_paint_the_content_comes_back(
    engine: Engine, content: str, styles: list[str], halves: np.ndarray
) -> None:
    result = paint.make(engine)(content, map_of(halves * 0), *styles, *LOOK).result
    assert np.array_equal(result.to_array(), np.asarray(Image.open(content)))
    assert paint.missing(content, map_of(halves * 0), None, None, None, *LOOK) == ""


def test_a_scene_without_pictures_says_nothing(engine: Engine, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_text("no picture")
    shown = paint.scene(engine, str(broken), None, str(broken), None)
    assert shown["content"] is None
    assert shown["styles"] == [None] * 3
    assert shown != paint.scene(engine, None, None, None, None)


def test_a_drawing_goes_to_one_style_and_the_others_stay_as_values() -> None:
    # An update would make the inputs anew, without the check that theirs are uploads.
    assert paint.put(STYLES[0], "Style 2", "/a", None, None) == [
        "/a",
        widgets.served(STYLES[0]),
        None,
    ]


# In a browser


class PaintVisit:
    """The tab in a browser, the maps it sent, and what went elsewhere or wrong."""

    def __init__(self, page: Any, address: str) -> None:
        self.page = page
        self.address = address
        self.maps: list[str] = []
        self.wrong: list[str] = []
        page.route("**/*", self._route)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", lambda m: m.type == "error" and self.wrong.append(m.text))
        page.goto(address)
        assert not self.maps  # nothing is asked for before the tab is opened
        page.get_by_role("tab", name="Paint").click()
        page.wait_for_selector("#paint-result .after[src]", timeout=TIMEOUT * 1000)

    def _route(self, route: Any) -> None:
        request = route.request
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.wrong.append(request.url)
        asked = "/predict" in request.url or "/call/" in request.url
        values = json.loads(request.post_data)["data"] if asked else []
        self.maps += [v for v in values if isinstance(v, str) and v.startswith(paint.MAP_TYPE)]
        route.continue_()

    def masks(self) -> np.ndarray:
        """What was painted last."""
        return paint.masks_of(self.maps[-1])

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A place on the canvas, from fractions of its sides."""
        box = self.page.locator("#paint-canvas canvas").bounding_box()
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def stroke(self, *places: tuple[float, float]) -> None:
        self.page.mouse.move(*self.at(*places[0]))
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*self.at(*place), steps=8)
        self.page.mouse.up()

    def take(self, brush: str) -> None:
        self.page.locator(".brushes").get_by_role("button", name=brush).click()

    def expect(self, wanted: Image.Image) -> None:
        """Wait until the result is `wanted`, to the byte."""
        address = widgets.data_url(load_image(wanted))
        until = time.monotonic() + TIMEOUT
        while self.page.locator("#paint-result .after").get_attribute("src") != address:
            assert time.monotonic() < until, "the result is not what the Stylizer gives"
            time.sleep(0.1)

    def expect_map(self, count: int) -> np.ndarray:
        """Wait for so many maps in all; the last one."""
        until = time.monotonic() + TIMEOUT
        while len(self.maps) < count:
            assert time.monotonic() < until, f"{len(self.maps)} maps came, not {count}"
            self.page.wait_for_timeout(50)
        return self.masks()


@pytest.fixture
def visit(browser: Any, demo: str) -> Iterator[PaintVisit]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    visit = PaintVisit(page, demo)
    yield visit
    page.close()
    assert visit.wrong == []


@pytest.fixture(scope="module")
def lake() -> Path:
    """What the page opens with."""
    return widgets.drawn(next(iter(catalog.CONTENTS)))


def test_it_opens_with_two_styles_that_meet(
    visit: PaintVisit, stylizer: Stylizer, lake: Path, styles: list[str]
) -> None:
    masks = visit.masks()
    assert masks.shape == (3, 256, 256)
    assert masks[0, :, 0].min() == masks[1, :, -1].min() == 1
    assert np.abs(masks.sum(axis=0) - 1).max() < 0.005
    visit.expect(stylizer.stylize(lake, styles[:2], masks=masks[:2], max_side=768))


def test_a_stroke_changes_the_result_to_what_the_stylizer_gives(
    visit: PaintVisit, stylizer: Stylizer, lake: Path, styles: list[str]
) -> None:
    before = visit.masks()
    visit.take("Style 3")
    visit.stroke((0.25, 0.2), (0.25, 0.8))
    masks = visit.expect_map(2)
    assert (masks[:, 128, 64] == (0, 0, 1)).all()
    assert np.array_equal(masks[:, :, 120:], before[:, :, 120:])
    visit.expect(stylizer.stylize(lake, styles, masks=masks, max_side=768))
    assert visit.page.locator("#paint-target input:checked").input_value() == "Style 3"
    assert "style 3 on" in visit.page.locator("#paint-canvas canvas").get_attribute("aria-label")

    visit.take("Eraser")
    visit.stroke((0.25, 0.5))
    assert (visit.expect_map(3)[:, 128, 64] == 0).all()
    visit.page.get_by_role("button", name="Undo").click()
    assert np.array_equal(visit.expect_map(4), masks)
    visit.page.get_by_role("button", name="Undo").click()
    assert np.array_equal(visit.expect_map(5), before)
    assert visit.page.get_by_role("button", name="Undo").is_disabled()
    visit.expect(stylizer.stylize(lake, styles[:2], masks=before[:2], max_side=768))


def test_a_fill_has_the_strength_of_the_brush(visit: PaintVisit) -> None:
    visit.page.get_by_role("slider", name="Strength").fill("40")
    visit.take("Style 2")
    visit.page.get_by_role("button", name="Fill all").click()
    assert (visit.expect_map(2).max(axis=(1, 2)) == np.float32([0, 102 / 255, 0])).all()
    visit.page.get_by_role("button", name="Clear").click()
    assert not visit.expect_map(3).any()


def test_a_keyboard_paints(visit: PaintVisit) -> None:
    visit.page.locator(".easel").focus()
    visit.page.keyboard.press("3")
    assert visit.page.locator(".ring").is_visible()
    visit.page.keyboard.down(" ")
    for _ in range(8):
        visit.page.keyboard.press("ArrowDown")
    visit.page.keyboard.up(" ")
    masks = visit.expect_map(2)
    assert (masks[2, 128:192, 128] == 1).all()  # from the middle, a quarter down
    assert not masks[2, :64].any()
    visit.page.keyboard.press("Control+z")
    assert not visit.expect_map(3)[2].any()


def test_another_content_is_painted_anew_at_its_own_size(
    visit: PaintVisit, stylizer: Stylizer, styles: list[str], content: str
) -> None:
    visit.take("Style 3")
    visit.stroke((0.5, 0.5))
    visit.page.set_input_files("#paint-content input[type=file]", content)
    masks = visit.expect_map(3)
    assert masks.shape == (3, 192, 256)
    assert not masks[2].any()
    visit.expect(stylizer.stylize(content, styles[:2], masks=masks[:2], max_side=768))


def test_a_broken_style_gives_one_sentence_and_the_painting_stays(
    visit: PaintVisit, stylizer: Stylizer, lake: Path, styles: list[str], tmp_path: Path
) -> None:
    visit.expect(stylizer.stylize(lake, styles[:2], masks=visit.masks()[:2], max_side=768))
    broken = tmp_path / "notes <b>today.jpg"
    broken.write_text("Buy more turpentine.")
    visit.page.set_input_files("#paint-2 input[type=file]", broken)
    caption = visit.page.locator("#paint-caption", has_text="today.jpg: found no known image")
    caption.wait_for(timeout=TIMEOUT * 1000)
    assert "/" not in caption.inner_text()
    visit.wrong.clear()  # the browser's own, that this is no picture to show
    fourth = list(catalog.STYLES)[3]
    visit.page.locator("#paint-styles button").nth(3).click()  # to style 1, whose brush is taken
    visit.page.locator(f"#paint-1 img[src*='{fourth}']").wait_for(timeout=TIMEOUT * 1000)
    visit.page.locator("#paint-2").get_by_label("Remove Image").click()
    masks = visit.masks()[:1]
    visit.expect(stylizer.stylize(lake, [widgets.drawn(fourth)], masks=masks, max_side=768))
    assert "style 2 has no picture yet" in visit.page.inner_text("#paint-caption")


def test_what_is_downloaded_is_the_result_in_full(
    visit: PaintVisit, stylizer: Stylizer, lake: Path, styles: list[str]
) -> None:
    with visit.page.expect_download(timeout=TIMEOUT * 1000) as saved:
        visit.page.get_by_role("button", name="Download PNG").click()
    wanted = stylizer.stylize(lake, styles[:2], masks=visit.masks()[:2], max_side=768)
    assert np.array_equal(np.asarray(Image.open(saved.value.path())), np.asarray(wanted))


def test_it_fits_a_phone(visit: PaintVisit) -> None:
    visit.page.set_viewport_size({"width": 390, "height": 844})
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390
    easel = visit.page.locator(".easel")
    assert easel.evaluate("easel => getComputedStyle(easel).touchAction") == "none"


def test_programs_paint_too(
    demo: str, content: str, styles: list[str], halves: np.ndarray, stylizer: Stylizer,
    tmp_path: Path,
) -> None:  # fmt: skip
    client = pytest.importorskip("gradio_client")
    file = client.handle_file
    quiet = {"verbose": False, "analytics_enabled": False}
    program = client.Client(demo, download_files=tmp_path, **quiet)
    values = [file(content), map_of(halves), *(file(style) for style in styles), *LOOK]
    answer = program.predict(*values, api_name="/paint")
    masks = [halves[..., 0], halves[..., 2]]
    wanted = stylizer.stylize(content, [styles[0], styles[2]], masks=masks)
    assert np.array_equal(np.asarray(Image.open(answer)), np.asarray(wanted))
    values[1] = "/etc/hostname"
    with pytest.raises(Exception, match="map: found text that starts with"):
        program.predict(*values, api_name="/paint")
