"""The tab that compares AdaIN with an optimisation, from its start to its last sentence."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from optimizing import running, wait_for
from serving import PAGE, serving
from visits import TIMEOUT, Visit

from adain import Stylizer, load_image, weights
from adain.demo import gatys_run
from adain.demo.gatys_run import Optimisation, Wanted, begin, cancel
from adain.demo.pictures import data_url
from adain.demo.tabs import gatys
from adain.drawings import catalog
from adain.server.engine import Engine
from adain.server.queue import BusyError
from tools.browser import ROOT


def sentence(update: tuple[Any, ...]) -> str:
    return str(update[1])


def test_another_visitor_is_told_and_cannot_cancel_it(engine: Engine, wanted: Wanted) -> None:
    with running(engine, wanted) as optimisation:
        cancel("another")
        (update,) = gatys.follow(engine, wanted, "another")
        assert "busy: one optimisation runs at a time" in sentence(update)
        assert "try again in about" in sentence(update)
        with pytest.raises(BusyError):
            begin(Optimisation(engine, wanted), "another")
        assert not optimisation.stop.is_set()


def test_a_page_that_is_closed_ends_it(engine: Engine, wanted: Wanted) -> None:
    updates = gatys.follow(engine, wanted, "somebody")
    next(updates)
    next(updates)
    updates.close()  # as Gradio does
    wait_for(lambda: not gatys_run._running)


def test_a_broken_picture_gives_one_sentence(
    engine: Engine, wanted: Wanted, tmp_path: Path
) -> None:
    broken = tmp_path / "notes.jpg"
    broken.write_text("Buy more turpentine.")
    *_, last = gatys.follow(engine, replace(wanted, content=str(broken)), "somebody")
    assert "notes.jpg: " in sentence(last)
    assert str(tmp_path) not in sentence(last)


def built(engine: Engine) -> list[Any]:
    """The components of the tab."""
    with gr.Blocks(analytics_enabled=False) as page:
        gatys.gatys_tab(engine)
    return list(page.blocks.values())


@pytest.mark.parametrize("torch", [True, False])
@pytest.mark.parametrize("vgg19", [True, False])
def test_what_is_missing_is_said_before_a_start(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, torch: bool, vgg19: bool
) -> None:
    monkeypatch.setattr(gatys, "find_spec", lambda name: "found" if torch else None)
    monkeypatch.setattr(weights, "look_for", lambda *_: Path("found") if vgg19 else None)
    parts = built(engine)
    told = "".join(part.value for part in parts if isinstance(part, gr.Markdown))
    assert (f"{sys.executable} -m pip install --editable" in told) is not torch
    assert (f"{sys.executable} -m adain models get vgg19" in told) is not vgg19
    can_start = any(part.elem_id == "gatys-start" for part in parts)
    assert can_start is (torch and vgg19)


def test_without_torch_a_recording_plays(browser: Any, tmp_path: Path) -> None:
    # No weights anywhere: the demo looks for them in these places.
    nowhere = {"ADAIN_WEIGHTS": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    with serving(program=PAGE, **nowhere) as demo:
        visit = Visit(browser.new_page(), f"{demo.address}/")
        visit.open()
        visit.tab("Compare with Gatys")
        if visit.page.locator("#gatys-start").count():
            pytest.skip("this checkout has the weights of VGG-19")
        shown = preview(visit)
        visit.page.click("#gatys-play")
        visit.page.locator("#gatys-caption", has_text="total loss").wait_for()
        assert "Recorded on" in told(visit)
        assert preview(visit) == shown  # the last frame, with which it began
        assert visit.page.locator("#gatys-view a[download='gatys.webp']").count() == 1
        visit.page.close()
        assert visit.complaints == []


def test_torch_is_left_alone_until_a_start() -> None:
    code = (
        "import sys, adain.demo.app, adain.demo.tabs.gatys as tab; tab.missing();"
        " print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr


def open_tab(visit: Visit, size: int = 384) -> None:
    """The tab with 500 iterations, which outlast what a browser under load does meanwhile, but at
    the smallest size; the test is skipped where it cannot run."""
    visit.tab("Compare with Gatys")
    visit.page.wait_for_selector("#gatys-start, #gatys-missing")
    if visit.page.locator("#gatys-missing").count():
        pytest.skip(visit.page.inner_text("#gatys-missing"))
    visit.page.locator("#gatys-size").get_by_label(str(size)).check()
    set_iterations(visit, 500)


def set_iterations(visit: Visit, count: int) -> None:
    visit.page.fill("#gatys-iterations input[type=range]", str(count))


def iterations(visit: Visit) -> int:
    bar = visit.page.locator("#gatys-view progress")
    return int(bar.get_attribute("value")) if bar.count() else 0


def preview(visit: Visit) -> str | None:
    image = visit.page.locator('#gatys-view img[alt="Gatys\'s picture"]')
    return str(image.get_attribute("src")) if image.count() else None


def press(visit: Visit, button: str) -> None:
    visit.page.click(f"#gatys-{button}:not([disabled])")


def wait_for_iteration(visit: Visit, least: int) -> int:
    until = time.monotonic() + TIMEOUT
    while (now := iterations(visit)) < least:
        assert time.monotonic() < until, f"iteration {now}, not {least}: {told(visit)}"
        visit.page.wait_for_timeout(100)
    return now


def wait_for_sentence(visit: Visit, pattern: str) -> None:
    visit.page.locator("#gatys-caption .caption", has_text=re.compile(pattern, re.S)).wait_for()


def told(visit: Visit) -> str:
    return str(visit.page.inner_text("#gatys-caption .caption")).strip()


@pytest.mark.usefixtures("vgg19_weights")
def test_it_can_be_watched_and_cancelled_and_started_again(visit: Visit) -> None:
    open_tab(visit)
    assert "Press Start" in told(visit)
    press(visit, "start")
    wait_for_iteration(visit, 1)
    seen = preview(visit)
    wait_for_iteration(visit, iterations(visit) + 1)
    assert preview(visit) not in (seen, None)
    assert visit.page.locator("#gatys-view svg polyline").count() == 3
    assert visit.page.locator("#gatys-start").is_disabled()
    press(visit, "cancel")
    visit.page.wait_for_selector("#gatys-start:not([disabled])")
    # The sentence and the view are drawn after one another.
    wait_for_sentence(visit, "^Cancelled after ")
    done = wait_for_iteration(visit, int(re.findall(r"after (\d+) iteration", told(visit))[0]))
    kept = preview(visit)
    assert f"after {done} iteration" in told(visit)
    assert f"iteration {done} of 500" in visit.page.inner_text("#gatys-view").replace("\xa0", " ")
    visit.page.wait_for_timeout(1000)
    assert (iterations(visit), preview(visit)) == (done, kept)
    set_iterations(visit, 10)
    press(visit, "start")
    wait_for_sentence(visit, r"^AdaIN \(fast\): .*total loss")
    visit.page.wait_for_selector("#gatys-start:not([disabled])")
    assert wait_for_iteration(visit, 10) == 10


@pytest.mark.usefixtures("vgg19_weights")
def test_the_next_visitor_can_start_when_a_page_is_closed(visit: Visit, browser: Any) -> None:
    other = Visit(browser.new_page(viewport={"width": 1280, "height": 900}), visit.address)
    other.open_result()
    open_tab(other)
    press(other, "start")
    wait_for_iteration(other, 1)
    open_tab(visit)
    press(visit, "start")
    visit.page.wait_for_selector("#gatys-caption .refusal")
    assert told(visit).startswith("busy: one optimisation runs at a time")
    other.page.close()
    closed = time.monotonic()
    while visit.page.locator("#gatys-cancel").is_disabled():
        assert time.monotonic() < closed + TIMEOUT, told(visit)
        # Unlike `press`, this waits for nothing where it has just begun.
        visit.page.evaluate("document.querySelector('#gatys-start').click()")
        visit.page.wait_for_timeout(1000)
    wait_for_iteration(visit, 1)
    press(visit, "cancel")
    visit.page.wait_for_selector("#gatys-start:not([disabled])")


@pytest.mark.usefixtures("vgg19_weights")
def test_a_drawing_is_compared(visit: Visit, stylizer: Stylizer) -> None:
    open_tab(visit, size=128)
    set_iterations(visit, 10)
    visit.tab("Style")
    visit.page.get_by_role("radio", name="Woodcut").click()
    visit.tab("Compare with Gatys")
    visit.page.locator("#gatys-pair img[src*='woodcut']").wait_for()
    press(visit, "start")
    wait_for_iteration(visit, 1)
    photo = json.loads(visit.page.evaluate("localStorage['adain-page']"))["photo"]["name"]
    content = load_image(catalog.file_of(photo), max_side=128)
    woodcut = load_image(catalog.file_of("woodcut"), max_side=512)
    wanted = stylizer.stylize(content, stylizer.encode_style(woodcut))
    shown = visit.page.locator("#gatys-view img").first.get_attribute("src")
    assert shown == data_url(wanted)
    visit.page.wait_for_selector("#gatys-start:not([disabled])")


@pytest.mark.usefixtures("vgg19_weights")
def test_the_dot_of_a_chosen_radio_button_stays_under_the_mouse(visit: Visit) -> None:
    open_tab(visit, size=128)
    chosen = visit.page.locator("#gatys-size").get_by_label("128")
    look = "dot => getComputedStyle(dot).backgroundImage + getComputedStyle(dot).backgroundColor"
    visit.page.mouse.move(1, 1)
    before = chosen.evaluate(look)
    chosen.hover()
    visit.page.wait_for_timeout(300)  # a transition
    assert chosen.evaluate(look) == before
    assert "url(" in before
