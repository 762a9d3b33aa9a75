"""Strokes in a real browser: what is painted, and what comes of it."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from visits import TIMEOUT, Visit

from adain import Stylizer
from adain.demo.studio import style_names
from adain.drawings import catalog

PHOTO, STYLES = next(iter(catalog.CONTENTS)), style_names()[:3]
FILE = catalog.file_of(PHOTO)


class Painting(Visit):
    """The tab in a browser, and the masks that it sent: None for a style that is not painted."""

    def start(self) -> None:
        self.sent: list[list[np.ndarray]] = []
        self.page.on("request", self._sent)
        self.open("#tab=paint&photo=" + PHOTO)
        self.masks(1)

    def _sent(self, request: Any) -> None:
        if request.url.endswith("/v1/stylize"):
            head = f"Content-Type: {request.headers['content-type']}\n\n".encode()
            parts = message_from_bytes(head + request.post_data_buffer).get_payload()
            masks = [
                p for p in parts if p.get_param("name", header="content-disposition") == "mask"
            ]
            pictures = [Image.open(io.BytesIO(mask.get_payload(decode=True))) for mask in masks]
            self.sent.append([np.asarray(picture.convert("L")) for picture in pictures])

    def masks(self, count: int) -> list[np.ndarray]:
        """Wait for so many requests in all; the masks of the last one."""
        until = time.monotonic() + TIMEOUT
        while len(self.sent) < count:
            assert time.monotonic() < until, f"{len(self.sent)} came, not {count}"
            self.page.wait_for_timeout(50)
        return self.sent[-1]

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A place on the canvas, from fractions of its sides."""
        box = self.page.locator(".easel canvas").bounding_box()
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def stroke(self, *places: tuple[float, float]) -> None:
        self.page.mouse.move(*self.at(*places[0]))
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*self.at(*place), steps=8)
        self.page.mouse.up()

    def take(self, brush: int) -> None:
        self.page.click(f".brushes [data-brush='{brush}']")


@pytest.fixture
def painting(browser: Any, demo: str) -> Iterator[Painting]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    painting = Painting(page, demo)
    painting.start()
    yield painting
    page.close()
    assert painting.strangers == painting.complaints == []


def shares(masks: list[np.ndarray]) -> list[np.ndarray]:
    return [np.float32(mask) / 255 for mask in masks]


def test_it_opens_with_two_styles_that_meet(painting: Painting, stylizer: Stylizer) -> None:
    masks = painting.masks(1)
    assert len(masks) == 2
    assert max(masks[0].shape) == 256
    assert masks[0][:, 0].min() == masks[1][:, -1].min() == 255
    assert np.abs(np.add(*np.int32(masks)) - 255).max() <= 1
    styles = [catalog.file_of(name) for name in STYLES[:2]]
    painting.expect(stylizer.stylize(FILE, styles, masks=shares(masks), max_side=768))


def test_a_stroke_changes_the_result_to_what_the_stylizer_gives(
    painting: Painting, stylizer: Stylizer
) -> None:
    before = painting.masks(1)
    height, width = before[0].shape
    painting.take(3)
    painting.stroke((0.25, 0.2), (0.25, 0.8))
    masks = painting.masks(2)
    middle = height // 2, width // 4
    assert [mask[middle] for mask in masks] == [0, 0, 255]
    assert np.array_equal(masks[0][:, width // 2 :], before[0][:, width // 2 :])
    styles = [catalog.file_of(name) for name in STYLES]
    painting.expect(stylizer.stylize(FILE, styles, masks=shares(masks), max_side=768))
    assert "style 3 on" in painting.page.locator(".easel canvas").get_attribute("aria-label")
    painting.take(0)
    painting.stroke((0.25, 0.5))
    assert [mask[middle] for mask in painting.masks(3)] == [0, 0, 0]
    painting.page.get_by_role("button", name="Undo").click()
    assert all(map(np.array_equal, painting.masks(4), masks))
    painting.page.get_by_role("button", name="Undo").click()
    assert all(map(np.array_equal, painting.masks(5), before))
    assert painting.page.get_by_role("button", name="Undo").is_disabled()


def test_a_fill_has_the_strength_of_the_brush_and_none_is_the_photo(painting: Painting) -> None:
    painting.page.locator(".settings").get_by_role("slider", name="Strength").fill("40")
    painting.take(2)
    painting.page.get_by_role("button", name="Fill all").click()
    (mask,) = painting.masks(2)
    assert set(np.unique(mask)) == {102}
    painting.page.get_by_role("button", name="Clear").click()
    photo = Image.open(FILE).convert("RGB")
    photo.thumbnail((768, 768), Image.Resampling.LANCZOS)
    painting.expect(photo)
    assert len(painting.sent) == 2  # nothing had to be computed


def test_a_keyboard_paints(painting: Painting) -> None:
    painting.page.locator(".easel").focus()
    painting.page.keyboard.press("3")
    assert painting.page.locator(".ring").is_visible()
    painting.page.keyboard.down(" ")
    for _ in range(8):
        painting.page.keyboard.press("ArrowDown")
    painting.page.keyboard.up(" ")
    mask = painting.masks(2)[2]
    height, width = mask.shape
    assert (mask[height // 2 : height // 2 + 60, width // 2] == 255).all()
    painting.page.keyboard.press("Control+z")
    assert len(painting.masks(3)) == 2


def test_another_style_goes_to_the_brush_in_hand(painting: Painting, stylizer: Stylizer) -> None:
    painting.take(2)
    painting.page.locator("#styles").get_by_role("radio", name="Woodcut").click()
    masks = shares(painting.masks(2))
    styles = [catalog.file_of(STYLES[0]), catalog.file_of("woodcut")]
    painting.expect(stylizer.stylize(FILE, styles, masks=masks, max_side=768))
    assert painting.page.inner_text(".brushes [data-brush='2']") == "Woodcut"


def test_another_photo_is_painted_anew_and_saved_in_full(
    painting: Painting, stylizer: Stylizer, content: Path
) -> None:
    painting.take(3)
    painting.stroke((0.5, 0.5))
    painting.photo(content)
    painting.page.wait_for_function("document.querySelector('.easel canvas').width === 173")
    styles = [catalog.file_of(name) for name in STYLES[:2]]
    until = time.monotonic() + TIMEOUT
    while painting.sent[-1][0].shape != (256, 173):
        assert time.monotonic() < until
        painting.page.wait_for_timeout(50)
    wanted = stylizer.stylize(content, styles, masks=shares(painting.sent[-1]))
    painting.expect(wanted)
    painting.expect_saved(wanted)


def test_canvas_and_result_are_of_one_size_side_by_side(painting: Painting) -> None:
    painting.page.wait_for_selector("#result:not(.empty)")
    easel, result = (painting.page.locator(n).bounding_box() for n in (".easel", "#result"))
    assert abs(easel["width"] - result["width"]) < 2
    assert abs(easel["height"] - result["height"]) < 2
    assert abs(easel["y"] - result["y"]) < 2
    assert easel["x"] + easel["width"] < result["x"]
    painting.page.set_viewport_size({"width": 390, "height": 844})
    assert painting.page.evaluate("document.documentElement.scrollWidth") <= 390
    touch = "easel => getComputedStyle(easel).touchAction"
    assert painting.page.locator(".easel").evaluate(touch) == "none"


def test_a_painting_is_kept_over_reload_and_in_the_strip(painting: Painting) -> None:
    painting.take(3)
    painting.stroke((0.5, 0.3), (0.5, 0.7))
    before = painting.masks(2)
    painting.page.wait_for_selector("#result[aria-busy=false]")
    sent = len(painting.sent)
    painting.page.reload()
    assert all(map(np.array_equal, painting.masks(sent + 1), before))
    assert painting.page.get_attribute(".brushes [data-brush='3']", "aria-pressed") == "true"
    # Another photo begins anew; the strip leads back to what was painted on this one.
    painting.page.locator(".recent button").nth(0).wait_for(state="attached")
    painting.page.locator("#photos [role=radio]").nth(1).click()
    painting.page.locator(".recent button").nth(1).click()
    until = time.monotonic() + TIMEOUT
    while len(painting.sent[-1]) != 3 or not all(map(np.array_equal, painting.sent[-1], before)):
        assert time.monotonic() < until
        painting.page.wait_for_timeout(50)


def test_the_menu_says_how_large_a_painting_may_be(painting: Painting, tmp_path: Path) -> None:
    large = tmp_path / "large.jpg"
    Image.new("RGB", (2000, 1000), "teal").save(large)
    painting.photo(large)
    painting.page.click("#save summary")
    painting.wait_for_text("#save-size", "Largest for paintings, 1448 pixels")
    with painting.page.expect_download() as saved:
        painting.page.click("#save [data-format=png]")
    assert Image.open(saved.value.path()).size == (1448, 724)
