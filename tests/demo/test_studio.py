"""The page as a person meets it: one photo, one style, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from serving import waves
from visits import Visit

from adain import Stylizer
from adain.cli.main import cli


def by_command(folder: Path, *arguments: str) -> Image.Image:
    """What `adain stylize` makes of these."""
    out = folder / "by-command.png"
    done = CliRunner().invoke(cli, ["stylize", *arguments, "-o", str(out)])
    assert done.exit_code == 0, done.output
    return Image.open(out)


def test_what_is_saved_is_what_the_command_makes(
    visit: Visit, content: Path, style: Path, tmp_path: Path
) -> None:
    visit.photo(content)
    visit.style(style)
    full = by_command(tmp_path, str(content), str(style))
    assert full.size == (203, 301)
    visit.set_slider("strength", 100)
    visit.expect(full)
    visit.set_slider("strength", 30)
    weak = by_command(tmp_path, str(content), str(style), "--alpha", "0.3")
    visit.expect(weak)
    details = visit.page.inner_text("#details")
    assert re.fullmatch(r"203 . 301 · \d+\.\d\d s · fast on \S+", details)
    assert visit.expect_saved(weak) == "content picture-stylized.png"
    for format, suffix in (("jpeg", "jpg"), ("webp", "webp")):
        name, saved = visit.save(format)
        assert (name, saved.format) == (f"content picture-stylized.{suffix}", format.upper())
        assert np.abs(np.asarray(saved, float) - np.asarray(weak)).mean() < 3


def test_full_size_is_made_for_saving_only(
    visit: Visit, style: Path, tmp_path: Path, stylizer: Stylizer
) -> None:
    large = tmp_path / "large.jpg"
    Image.fromarray(waves(1500, 1000, 5)).save(large)
    visit.bring(large, style)
    visit.expect(stylizer.stylize(large, style, max_side=768))
    visit.expect_saved(stylizer.stylize(large, style))
    visit.page.select_option("#save-size", "1024", force=True)
    _, saved = visit.save("png")
    assert saved.size == (1024, 683)


def test_every_choice_reaches_the_result(
    visit: Visit, content: Path, style: Path, tmp_path: Path, stylizer: Stylizer
) -> None:
    visit.bring(content, style)
    visit.page.get_by_label("Keep the photo's colours").check()
    visit.expect(by_command(tmp_path, str(content), str(style), "--colours", "luminance"))
    visit.page.get_by_label("Keep the photo's colours").uncheck()
    visit.set_slider("brush", 50)
    smaller = Image.open(style).resize((120, 90), Image.Resampling.LANCZOS)
    visit.expect(stylizer.stylize(content, smaller))
    visit.set_slider("brush", 100)
    visit.set_slider("smooth", 50)
    visit.expect(stylizer.stylize(content, style, smooth=0.5))


def test_of_two_choices_at_once_both_are_in_the_result(
    visit: Visit, stylizer: Stylizer, content: Path, style: Path
) -> None:
    """The page asks twice within a millisecond, and the first answer must not stay."""
    visit.bring(content, style)
    kept = visit.page.get_by_label("Keep the photo's colours")
    smaller = Image.open(style).resize((120, 90), Image.Resampling.LANCZOS)
    wanted = {
        True: stylizer.stylize(content, style, colours="luminance"),
        False: stylizer.stylize(content, smaller),
    }
    for keep in [True, False] * 3:
        kept.set_checked(keep)
        visit.set_slider("brush", 100 if keep else 50)
        visit.expect(wanted[keep])


def test_a_drag_ends_at_the_last_position(
    visit: Visit, stylizer: Stylizer, content: Path, style: Path
) -> None:
    visit.photo(content)
    visit.style(style)
    box = visit.page.locator("#strength").bounding_box()
    y = box["y"] + box["height"] / 2
    visit.page.mouse.move(box["x"] + box["width"] - 8, y)
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + box["width"] * 0.2, y, steps=60)
    visit.page.mouse.up()
    strength = int(visit.page.input_value("#strength"))
    assert 10 < strength < 30
    visit.expect(stylizer.stylize(content, style, alpha=strength / 100))


def test_alpha_reaches_the_stylizer_and_comes_back(
    visit: Visit, stylizer: Stylizer, style: Path, sticker: Path
) -> None:
    visit.bring(sticker, style)
    wanted = stylizer.stylize(sticker, style)
    assert wanted.mode == "RGBA"
    visit.expect(wanted)
    visit.expect_saved(wanted)


def test_the_strength_box_is_clamped(visit: Visit) -> None:
    box = visit.page.get_by_label("Strength in per cent")
    for typed, kept in (("500", "100"), ("-3", "0"), ("5", "5"), ("", "5"), ("37.6", "38")):
        box.fill(typed)
        visit.page.keyboard.press("Tab")
        assert box.input_value() == kept
        assert visit.page.input_value("#strength") == kept


def test_a_swipe_that_begins_on_the_slider_scrolls(phone: Visit) -> None:
    page = phone.page
    box = page.locator("#strength").bounding_box()
    before = page.input_value("#strength")
    x, y = box["x"] + box["width"] * 0.3, box["y"] + box["height"] / 2
    finger = page.context.new_cdp_session(page)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y} for x, y in places]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (x, y))
    for step in range(1, 20):
        touch("touchMove", (x, y - 15 * step))
        page.wait_for_timeout(16)
    touch("touchEnd")
    page.wait_for_function("scrollY > 100")
    assert page.input_value("#strength") == before


def test_ten_tabs_lead_to_the_slider_and_one_sees_where_one_is(visit: Visit) -> None:
    page = visit.page
    page.locator("body").click(position={"x": 2, "y": 2})
    presses = 0
    while page.evaluate("document.activeElement.id") != "strength":
        page.keyboard.press("Tab")
        presses += 1
        assert presses <= 10
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("ArrowLeft")
    assert int(page.input_value("#strength")) < 100


def test_styles_are_chosen_by_keyboard(visit: Visit) -> None:
    page = visit.page
    chosen = page.locator("#styles [aria-checked=true]")
    assert chosen.count() == 1
    first = chosen.get_attribute("data-key")
    chosen.focus()
    page.keyboard.press("ArrowRight")
    second = page.locator("#styles [aria-checked=true]").get_attribute("data-key")
    assert second != first
    assert page.evaluate("document.activeElement.dataset.key") == second
    assert f"style={second}" in page.url


def test_the_divider_moves_by_keyboard(visit: Visit) -> None:
    divider = visit.page.get_by_label("Divider between photo and result")
    divider.focus()
    for _ in range(5):
        visit.page.keyboard.press("ArrowRight")
    assert divider.get_attribute("aria-valuetext") == "photo to 5 %, result beyond"


@pytest.mark.parametrize("tab", ["Style", "Mix"])
def test_the_result_stays_in_view(visit: Visit, tab: str) -> None:
    visit.tab(tab)
    visit.page.locator("#styles [role=radio]").last.scroll_into_view_if_needed()
    visit.page.wait_for_timeout(100)
    assert visit.page.evaluate("scrollY") > 100
    box = visit.page.locator("#result").bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 900


def test_on_a_phone_the_result_is_first_and_the_next_style_peeks_in(phone: Visit) -> None:
    boxes: Any = {
        name: phone.page.locator(name).first.bounding_box()
        for name in ("#result", "#strength", "#styles")
    }
    assert boxes["#result"]["y"] < boxes["#strength"]["y"] < boxes["#styles"]["y"] < 844
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    edges = phone.page.evaluate(
        "[...document.querySelectorAll('#styles .tile')].map((tile) => {"
        " const box = tile.getBoundingClientRect(); return [box.left, box.right]; })"
    )
    assert any(left < 380 < right for left, right in edges)


def test_pictures_are_kept_over_reload_and_back(
    visit: Visit, content: Path, style: Path, stylizer: Stylizer
) -> None:
    visit.photo(content)
    visit.style(style)
    visit.set_slider("strength", 80)
    wanted = stylizer.stylize(content, style, alpha=0.8)
    visit.expect(wanted)
    visit.page.reload()
    visit.page.wait_for_selector("#result:not(.empty)")
    visit.expect(wanted)
    visit.tab("Mix")
    assert "tab=mix" in visit.page.url
    visit.page.go_back()
    assert visit.page.get_attribute("#tab-style", "aria-selected") == "true"
    visit.expect(wanted)


def test_an_address_shows_the_same_look_to_somebody_else(
    visit: Visit, browser: Any, demo: str
) -> None:
    visit.page.get_by_role("radio", name="Woodcut").click()
    visit.set_slider("strength", 70)
    other = Visit(browser.new_context().new_page(), demo)
    other.open_result(visit.page.url.removeprefix(demo))
    assert other.page.input_value("#strength") == "70"
    assert other.page.get_attribute("#styles [data-key=woodcut]", "aria-checked") == "true"
    other.page.context.close()


def test_the_last_results_bring_back_how_they_were_made(visit: Visit) -> None:
    page = visit.page
    first = page.locator("#styles [aria-checked=true]").get_attribute("data-key")
    strip = page.locator(".recent button")
    page.wait_for_function("JSON.parse(localStorage['adain-page'] || '{}').recent?.length === 1")
    page.get_by_role("radio", name="Woodcut").click()
    strip.nth(1).wait_for()
    strip.nth(1).click()
    assert page.get_attribute(f"#styles [data-key={first}]", "aria-checked") == "true"


def test_surprise_me_takes_another_style(visit: Visit) -> None:
    before = visit.page.locator("#styles [aria-checked=true]").get_attribute("data-key")
    visit.page.click("#surprise")
    after = visit.page.locator("#styles [aria-checked=true]").get_attribute("data-key")
    assert after != before


def test_a_result_is_copied_and_a_look_shared(visit: Visit) -> None:
    page = visit.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("#copy")
    visit.wait_for_text(".notice", "Copied")
    kinds = page.evaluate("async () => (await navigator.clipboard.read())[0].types")
    assert kinds == ["image/png"]
    page.click("#share")
    visit.wait_for_text(".notice", "link")
    link = page.evaluate("navigator.clipboard.readText()")
    chosen = page.locator("#styles [aria-checked=true]").get_attribute("data-key")
    assert link.startswith(visit.address) and f"style={chosen}" in link
