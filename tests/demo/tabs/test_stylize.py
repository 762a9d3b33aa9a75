"""The tab that everyone meets, as a person meets it: in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from click.testing import CliRunner
from PIL import Image
from serving import waves
from visits import Visit

from adain import Stylizer
from adain.cli.main import cli
from adain.demo import widgets


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
