"""The page as a person meets it: a demo in a process of its own, and a real browser."""

from __future__ import annotations

import hashlib
import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from serving import waves
from visits import TIMEOUT, Visit

from adain import Stylizer
from adain.cli.main import cli
from adain.demo import widgets
from adain.demo.tabs.embed import request_address

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # this machine only


def by_command(folder: Path, *arguments: str) -> Image.Image:
    """What `adain stylize` makes of these."""
    out = folder / "by-command.png"
    done = CliRunner().invoke(cli, ["stylize", *arguments, "-o", str(out)])
    assert done.exit_code == 0, done.output
    return Image.open(out)


def test_a_download_is_what_the_command_makes(
    visit: Visit, content: Path, style: Path, tmp_path: Path
) -> None:
    first = visit.shown()
    visit.upload("content", content)
    visit.upload("style", style)
    full = by_command(tmp_path, str(content), str(style))
    assert full.size == (203, 301)
    visit.expect(full)
    assert visit.shown() != first
    visit.set_slider("strength", 0.3)
    weak = by_command(tmp_path, str(content), str(style), "--alpha", "0.3")
    visit.expect(weak)
    assert re.fullmatch(r"\d+ ms on \S+ · 203 x 301", visit.caption())
    name, saved = visit.download("download-png")
    assert name == "content picture-stylized.png"
    assert np.array_equal(np.asarray(saved), np.asarray(weak))
    name, saved = visit.download("download-jpg")
    assert (name, saved.format) == ("content picture-stylized.jpg", "JPEG")
    assert np.abs(np.asarray(saved, float) - np.asarray(weak)).mean() < 3


def test_every_choice_reaches_the_result(
    visit: Visit, content: Path, style: Path, tmp_path: Path, stylizer: Stylizer
) -> None:
    visit.upload("content", content)
    visit.upload("style", style)
    visit.page.locator("#stylize-more button").first.click()
    visit.page.get_by_label("Keep the content's colours").first.check()
    visit.expect(by_command(tmp_path, str(content), str(style), "--colours", "luminance"))
    visit.page.get_by_label("Keep the content's colours").first.uncheck()
    visit.set_slider("stylize-brush", 0.5)
    smaller = Image.open(style).resize((120, 90), Image.Resampling.LANCZOS)
    visit.expect(stylizer.stylize(content, smaller))
    # A picture may be brought down, to a size of the list.
    large = tmp_path / "large.jpg"
    Image.fromarray(waves(900, 600, 5)).save(large)
    visit.set_slider("stylize-brush", 1)
    visit.upload("content", large)
    visit.expect(by_command(tmp_path, str(large), str(style), "--max-side", "768"))


def test_of_two_choices_at_once_both_are_in_the_result(
    visit: Visit, stylizer: Stylizer, content: Path, style: Path
) -> None:
    """The page asks twice within a millisecond, and the first answer must not stay."""
    visit.upload("content", content)
    visit.upload("style", style)
    visit.page.locator("#stylize-more button").first.click()
    kept = visit.page.get_by_label("Keep the content's colours").first
    smaller = Image.open(style).resize((120, 90), Image.Resampling.LANCZOS)
    wanted = {
        True: stylizer.stylize(content, style, colours="luminance"),
        False: stylizer.stylize(content, smaller),
    }
    for keep in [True, False] * 6:
        kept.set_checked(keep)
        visit.set_slider("stylize-brush", 1 if keep else 0.5)
        visit.expect(wanted[keep])


def test_a_drag_ends_at_the_last_position(
    visit: Visit, stylizer: Stylizer, content: Path, style: Path
) -> None:
    visit.upload("content", content)
    visit.upload("style", style)
    visit.expect(stylizer.stylize(content, style))
    slider = visit.page.locator("#strength input[type=range]")
    slider.scroll_into_view_if_needed()
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
    visit: Visit, stylizer: Stylizer, style: Path, sticker: Path
) -> None:
    visit.upload("style", style)
    visit.upload("content", sticker)
    wanted = stylizer.stylize(sticker, style)
    assert wanted.mode == "RGBA"
    visit.expect(wanted)
    _, saved = visit.download("download-png")
    assert np.array_equal(np.asarray(saved), np.asarray(wanted))


def test_a_drawing_replaces_a_picture_by_keyboard(
    visit: Visit, stylizer: Stylizer, content: Path, style: Path
) -> None:
    visit.upload("content", content)
    visit.upload("style", style)
    visit.expect(stylizer.stylize(content, style))
    choice = visit.page.locator("#styles").get_by_role("button", name="Stained glass")
    assert choice.locator("img").get_attribute("alt")
    choice.focus()
    visit.page.keyboard.press("Enter")
    visit.expect(stylizer.stylize(content, widgets.drawn("stained-glass")))
    assert choice.get_attribute("aria-pressed") == "true"
    visit.upload("style", style)
    visit.expect(stylizer.stylize(content, style))
    assert choice.get_attribute("aria-pressed") == "false"


def test_the_divider_moves_by_keyboard(visit: Visit) -> None:
    divider = visit.page.get_by_label("Divider between content and result").first
    divider.focus()
    for _ in range(5):
        visit.page.keyboard.press("ArrowRight")
    frame = visit.page.locator("#result .before-after")
    assert frame.evaluate("f => f.style.getPropertyValue('--divider')") == "5%"


def test_a_broken_file_gives_one_sentence_and_the_page_works_on(
    visit: Visit, stylizer: Stylizer, content: Path, style: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "notes <b>today.jpg"
    broken.write_text("Buy more turpentine.\n" * 20)
    visit.upload("style", style)
    visit.upload("content", broken)
    visit.page.wait_for_selector("#caption .refusal")
    sentence = visit.caption()
    assert "today.jpg: " in sentence
    assert "\n" not in sentence
    assert "/" not in sentence  # no folder of the server
    visit.complaints.clear()  # the browser's own, that this is no picture to show
    visit.page.locator("#content").get_by_label("Remove Image").click()
    visit.upload("content", content)
    visit.expect(stylizer.stylize(content, style))


def test_a_mixture_is_the_stylizers(
    visit: Visit, stylizer: Stylizer, content: Path, style: Path
) -> None:
    visit.tab("Mix")
    visit.page.wait_for_selector("#mix-result img.after[src]")
    visit.upload("mix-content", content)
    visit.upload("mix-1", style)
    visit.set_slider("share-1", 0.25)
    visit.set_slider("share-2", 0.75)
    second = widgets.drawn("stained-glass")
    wanted = stylizer.stylize(content, [style, second], style_weights=[0.25, 0.75])
    visit.expect(wanted, "mix-result")
    visit.page.get_by_role("button", name="Woodcut").locator("visible=true").click()
    third = widgets.drawn("woodcut")
    weights = [0.25, 0.75, 0.5]
    visit.expect(
        stylizer.stylize(content, [style, second, third], style_weights=weights), "mix-result"
    )
    _, saved = visit.download("mix-download-png")
    wanted = stylizer.stylize(content, [style, second, third], style_weights=weights)
    assert np.array_equal(np.asarray(saved), np.asarray(wanted))


def test_the_files_can_be_downloaded_as_listed(visit: Visit) -> None:
    visit.tab("Use it elsewhere")
    with visit.page.expect_download() as saved:
        visit.page.get_by_role("button", name="Download adain-fast.onnx").click()
    data = Path(saved.value.path()).read_bytes()
    assert hashlib.sha256(data).hexdigest() in visit.page.inner_text("#files")


def test_snippets_name_the_address_by_which_a_visitor_came(visit: Visit) -> None:
    visit.address = visit.address.replace("127.0.0.1", "localhost")
    visit.page.goto(visit.address)
    visit.tab("Use it elsewhere")
    visit.page.locator("#snippets").get_by_role("tab", name="HTTP").first.click()
    shown = visit.page.locator("#snippets").get_by_text(f"{visit.address}v1/stylize")
    shown.first.wait_for()


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({"host": "art.example"}, "http://art.example"),
        ({"host": "art.example:81", "x-forwarded-proto": "https"}, "https://art.example:81"),
        ({"host": "[::1]:7860"}, "http://[::1]:7860"),
        ({"host": "a b; rm -rf"}, "otherwise"),
        ({"host": "art.example", "x-forwarded-proto": "javascript"}, "otherwise"),
        ({}, "otherwise"),
    ],
)
def test_the_address_of_a_request(headers: dict[str, str], address: str) -> None:
    assert request_address(headers, "otherwise") == address


@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_the_width(visit: Visit, width: int) -> None:
    visit.page.set_viewport_size({"width": width, "height": 844})
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    for label in ("Content", "Style", "Strength"):
        assert visit.page.get_by_text(label, exact=True).first.is_visible()


UNNAMED = """() => Array.from(document.querySelectorAll('img, input, button, select, textarea'))
    .filter((e) => e.checkVisibility({visibilityProperty: true}))
    .filter((e) => !(e.alt || e.ariaLabel || e.title || e.labels?.length || e.textContent.trim()
        || e.closest('label') || e.getAttribute('aria-labelledby')))
    .map((e) => e.outerHTML.slice(0, 200))"""


@pytest.mark.parametrize(
    "tab", ["Stylize", "Mix", "Paint", "Compare with Gatys", "Use it elsewhere"]
)
def test_pictures_and_controls_have_names(visit: Visit, tab: str) -> None:
    visit.tab(tab)
    visit.page.wait_for_load_state("networkidle")
    assert visit.page.evaluate(UNNAMED) == []


def call(demo: str, name: str, data: list[Any]) -> str:
    """What Gradio's own API says of a call, as events."""
    body = json.dumps({"data": data}).encode()
    address = f"{demo}gradio_api/call/{name}"
    asked = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    with OPENER.open(asked, timeout=TIMEOUT) as response:
        event = json.load(response)["event_id"]
    with OPENER.open(f"{address}/{event}", timeout=TIMEOUT) as response:
        return str(response.read().decode())


def test_programs_can_use_the_page(
    demo: str, stylizer: Stylizer, content: Path, style: Path, tmp_path: Path
) -> None:
    client = pytest.importorskip("gradio_client")
    service = client.Client(demo, download_files=str(tmp_path), verbose=False)
    files = client.handle_file(str(content)), client.handle_file(str(style))
    path = service.predict(*files, 0.4, "fast", False, 1, "1024", api_name="/stylize")
    wanted = stylizer.stylize(content, style, alpha=0.4)
    assert np.array_equal(np.asarray(Image.open(path)), np.asarray(wanted))
    described = service.view_api(return_format="dict")["named_endpoints"]
    assert set(described) == {"/stylize", "/paint"}
