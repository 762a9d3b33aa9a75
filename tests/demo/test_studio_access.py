"""What everybody must be able to do with the page, and how it loads."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from visits import Visit

TABS = ["style", "mix", "paint", "sheet", "many", "video", "live", "gatys", "embed"]
# What people are not asked to know.
JARGON = ("content", "alpha", "vgg19", "relu", "tensor", "encoder", "onnx")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_axe_finds_nothing(browser: Any, demo: str, scheme: str, device: str) -> None:
    size = {"width": 1280, "height": 900} if device == "desktop" else {"width": 390, "height": 844}
    page = browser.new_page(viewport=size, color_scheme=scheme, reduced_motion="reduce")
    visit = Visit(page, demo)
    visit.open_result()
    found = {}
    for tab in TABS:
        if page.locator(f"#tab-{tab}").count():
            page.click(f"#tab-{tab}")
            page.wait_for_timeout(400)
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], tab
            violations = visit.violations()
            if violations:
                found[tab] = violations
    page.close()
    assert found == {}, json.dumps(found, indent=1)


@pytest.mark.parametrize("tab", ["style", "mix", "paint", "sheet", "many", "video", "live"])
def test_it_speaks_the_words_of_people(visit: Visit, tab: str) -> None:
    visit.page.click(f"#tab-{tab}")
    words = visit.page.inner_text("#panel-studio")
    # But for the line of details, and for commands to type.
    for technical in visit.page.locator("#details, small").all_inner_texts():
        words = words.replace(technical, "")
    words = words.lower()
    assert [word for word in JARGON if word in words.split()] == []


# The words of an element that stand on more than one line.
BROKEN_WORDS = """names => names.flatMap(name => {
  const range = document.createRange();
  return [...name.firstChild.data.matchAll(/\\S+/g)].flatMap(word => {
    range.setStart(name.firstChild, word.index);
    range.setEnd(name.firstChild, word.index + word[0].length);
    return range.getClientRects().length > 1 ? [word[0]] : [];
  });
})"""


@pytest.mark.parametrize("device", ["visit", "phone"])
def test_no_name_of_a_style_is_cut_within_a_word(device: str, request: Any) -> None:
    page = request.getfixturevalue(device).page
    for tab in ("style", "mix", "paint"):
        page.click(f"#tab-{tab}")
        names = page.locator(".gallery .tile button:first-child span:visible")
        assert names.count() > 30
        assert names.evaluate_all(BROKEN_WORDS) == [], tab


def test_the_outline_of_what_is_chosen_stays_under_the_mouse(visit: Visit) -> None:
    chosen = visit.page.locator("#styles").get_by_role("radio", name="Mosaic")
    chosen.click()
    colour = "button => getComputedStyle(button).borderTopColor"
    under_the_mouse = chosen.evaluate(colour)
    visit.page.mouse.move(0, 0)
    assert chosen.evaluate(colour) == under_the_mouse
    visit.page.locator("#styles").get_by_role("radio", name="Linocut").hover()
    assert visit.page.locator("#styles .tile button:hover").evaluate(colour) != under_the_mouse


def test_tabs_are_moved_along_by_arrow_keys(visit: Visit) -> None:
    page = visit.page
    page.locator("#tab-style").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "tab-mix"
    assert page.get_attribute("#tab-mix", "aria-selected") == "true"
    assert page.locator("[role=tab][tabindex='0']").count() == 1
    page.keyboard.press("End")
    assert page.locator("#panel-embed").is_visible()
    assert not page.locator("#panel-studio").is_visible()


def test_the_page_is_small_and_styles_come_when_they_are_seen(phone: Visit) -> None:
    assert len(httpx.get(phone.address).content) < 300_000
    images = phone.page.locator("#styles img")
    assert set(images.evaluate_all("all => all.map((image) => image.loading)")) == {"lazy"}
    phone.page.wait_for_function("document.querySelector('#styles img').complete")


def test_nothing_moves_while_the_page_loads(browser: Any, demo: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.add_init_script("""window.moved = 0; new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) moved += entry.value;
    }).observe({ type: 'layout-shift', buffered: true });""")
    Visit(page, demo).open_result()
    page.wait_for_timeout(500)
    assert page.evaluate("moved") < 0.1  # what Web Vitals call good
    page.close()


def test_a_busy_server_costs_nobody_the_picture_that_was_there(visit: Visit) -> None:
    before = visit.shown()
    busy = {"status": 503, "headers": {"Retry-After": "1"}, "json": {"error": "busy"}}
    answers = iter(range(2))

    def answer(route: Any) -> None:
        if next(answers, None) is None:
            route.fallback()
        else:
            route.fulfill(**busy)

    visit.page.route("**/v1/stylize", answer)
    visit.page.get_by_role("radio", name="Woodcut").click()
    visit.wait_for_text(".notice", "The server is busy")
    assert visit.shown() == before
    visit.page.wait_for_selector("#result[aria-busy=true]")
    visit.page.wait_for_selector("#result[aria-busy=false]")
    assert visit.shown() != before
    visit.complaints.clear()  # the browser tells of the answers 503
