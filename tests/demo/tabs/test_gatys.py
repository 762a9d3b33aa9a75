"""The tab that compares AdaIN with an optimisation: its numbers, its thread, and a person's way."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from visits import TIMEOUT, Visit

from adain import Stylizer, load_image, weights

gr = pytest.importorskip("gradio")

from adain.demo import gatys_run, widgets
from adain.demo.gatys_run import Optimisation, Wanted, begin, cancel
from adain.demo.tabs import gatys
from adain.drawings import catalog
from adain.server.engine import Engine
from adain.server.queue import BusyError
from adain.server.settings import Settings
from tools.browser import ROOT

SIDE = 48  # pixels: an iteration takes some hundredths of a second


@pytest.fixture
def wanted(content: Path, style: Path, vgg19_weights: Path) -> Wanted:
    """More iterations than any test waits for."""
    pytest.importorskip("torch")
    return Wanted(str(content), str(style), SIDE, 500, "content", "fast")


@contextmanager
def running(engine: Engine, wanted: Wanted) -> Iterator[Optimisation]:
    """An optimisation at its second iteration or later."""
    optimisation = Optimisation(engine, wanted)
    begin(optimisation, "somebody")
    try:
        wait_for(lambda: len(optimisation.history) > 1)
        yield optimisation
    finally:
        cancel("somebody")
        assert optimisation.over.wait(TIMEOUT)


def wait_for(done: Callable[[], Any]) -> None:
    until = time.monotonic() + TIMEOUT
    while not done():
        assert time.monotonic() < until, "it takes too long"
        time.sleep(0.02)


def sentence(update: tuple[Any, ...]) -> str:
    return str(update[1])


@pytest.mark.parametrize("start", ["content", "noise", "adain"])
def test_the_losses_are_those_of_the_objective(
    engine: Engine, stylizer: Stylizer, content: Path, style: Path, wanted: Wanted, start: str
) -> None:
    from adain.learning.evaluation.metrics import to_tensor
    from adain.learning.gatys import run
    from adain.learning.gatys.inputs import to_side
    from adain.learning.gatys.objective import GatysOptions, Objective
    from adain.learning.models.vgg import load_vgg19_layers

    optimisation = Optimisation(engine, replace(wanted, iterations=3, start=start))
    optimisation.run()
    assert optimisation.error is None
    assert optimisation.adain is not None

    seen, painted = load_image(content, max_side=SIDE), load_image(style, max_side=512)
    options = GatysOptions(iterations=3, init=start, device="cpu")  # type: ignore[arg-type]
    pictures = [to_tensor(seen), to_tensor(to_side(painted, SIDE))]
    objective = Objective(load_vgg19_layers(), pictures[0], [pictures[1]], options)
    by_adain = stylizer.stylize_picture(seen, stylizer.encode_style(painted.rgb))
    losses = objective.losses(to_tensor(by_adain))
    adain = optimisation.adain
    assert adain.total == pytest.approx(losses["total"].item(), rel=1e-4)
    assert adain.content == pytest.approx(losses["content"].item(), rel=1e-4)
    assert adain.style == pytest.approx(objective.style_weight * losses["style"].item(), rel=1e-4)

    history = run.gatys(seen, [painted], options).history
    totals = [entry["total"] for entry in history]
    assert [each.total for each in optimisation.history] == pytest.approx(totals, rel=1e-3)
    for each in [adain, *optimisation.history]:
        assert each.content + each.style == pytest.approx(each.total, rel=1e-4)


def test_a_stop_ends_it_and_the_picture_stays(engine: Engine, wanted: Wanted) -> None:
    with running(engine, wanted) as optimisation:
        with engine.queue.computing():  # meanwhile no iteration begins
            before = len(optimisation.history)
            cancel("somebody")
        assert optimisation.over.wait(TIMEOUT)
        assert before <= len(optimisation.history) <= before + 2
    progress = optimisation.progress()
    assert progress is not None
    assert progress.pictures[1] is not None
    assert progress.left is None


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


def test_a_stylization_waits_for_an_iteration_at_most(engine: Engine, wanted: Wanted) -> None:
    queue, iterations = engine.queue, []
    with running(engine, wanted) as optimisation:

        def take_turn() -> None:
            with queue.computing():
                iterations.append(len(optimisation.history))

        for _ in range(5):
            other = threading.Thread(target=take_turn)
            with queue.computing():
                # While nobody else has the device, both line up for it in either order.
                before = len(optimisation.history)
                other.start()
                wait_for(lambda: len(queue._waiting) == 2)
            other.join(TIMEOUT)
            # One more where it had ended, but was not told of, before this thread counted.
            assert iterations.pop() <= before + 2


def test_a_server_that_stops_ends_it(wanted: Wanted) -> None:
    engine = Engine(Settings(), "cpu")
    with running(engine, wanted) as optimisation:
        engine.close()
        assert optimisation.over.wait(TIMEOUT)
    assert str(optimisation.error) == "the server is stopping"


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
    assert ("pip install 'adain[learn]'" in told) is not torch
    assert ("adain models get vgg19" in told) is not vgg19
    can_start = any(part.elem_id == "gatys-start" for part in parts)
    assert can_start is (torch and vgg19)


def test_torch_is_left_alone_until_a_start() -> None:
    code = (
        "import sys, adain.demo.app, adain.demo.tabs.gatys as tab; tab.missing();"
        " print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr


def open_tab(visit: Visit) -> None:
    """The tab with a quick choice made; the test is skipped where it cannot run."""
    visit.tab("Compare with Gatys")
    visit.page.wait_for_selector("#gatys-start, #gatys-missing")
    if visit.page.locator("#gatys-missing").count():
        pytest.skip(visit.page.inner_text("#gatys-missing"))
    visit.page.locator("#gatys-size").get_by_label("128").check()
    visit.set_slider("gatys-iterations", 500)


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


def told(visit: Visit) -> str:
    return visit.caption("gatys-caption")


@pytest.mark.usefixtures("vgg19_weights")
def test_it_can_be_watched_and_cancelled_and_started_again(visit: Visit) -> None:
    open_tab(visit)
    assert "Press Start" in told(visit)
    press(visit, "start")
    first = wait_for_iteration(visit, 1)
    seen = preview(visit)
    wait_for_iteration(visit, first + 1)
    assert preview(visit) not in (seen, None)
    assert visit.page.locator("#gatys-view svg polyline").count() == 3
    assert visit.page.locator("#gatys-start").is_disabled()
    press(visit, "cancel")
    visit.page.wait_for_selector("#gatys-start:not([disabled])")
    assert told(visit).startswith("Cancelled after ")
    done, kept = iterations(visit), preview(visit)
    assert f"after {done} iteration" in told(visit)
    assert f"iteration {done} of 500" in visit.page.inner_text("#gatys-view").replace("\xa0", " ")
    visit.page.wait_for_timeout(1000)
    assert (iterations(visit), preview(visit)) == (done, kept)
    visit.set_slider("gatys-iterations", 10)
    press(visit, "start")
    visit.page.locator("#gatys-caption", has_text="Optimising").wait_for()
    visit.page.wait_for_selector("#gatys-start:not([disabled])")
    assert told(visit).startswith("AdaIN (fast): ")
    assert "total loss" in told(visit)
    assert iterations(visit) == 10


@pytest.mark.usefixtures("vgg19_weights")
def test_the_next_visitor_can_start_when_a_page_is_closed(visit: Visit, browser: Any) -> None:
    other = Visit(browser.new_page(viewport={"width": 1280, "height": 900}), visit.address)
    other.open()
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
        press(visit, "start")
        visit.page.wait_for_timeout(1000)
    wait_for_iteration(visit, 1)
    press(visit, "cancel")
    visit.page.wait_for_selector("#gatys-start:not([disabled])")


@pytest.mark.usefixtures("vgg19_weights")
def test_a_drawing_is_compared(visit: Visit, stylizer: Stylizer) -> None:
    open_tab(visit)
    visit.set_slider("gatys-iterations", 10)
    visit.page.locator("#gatys-styles").get_by_role("button", name="Woodcut").click()
    visit.page.locator("#gatys-style img[src*='woodcut']").wait_for()
    press(visit, "start")
    wait_for_iteration(visit, 1)
    content = load_image(widgets.drawn(next(iter(catalog.CONTENTS))), max_side=128)
    woodcut = load_image(widgets.drawn("woodcut"), max_side=512)
    wanted = stylizer.stylize_picture(content, stylizer.encode_style(woodcut.rgb))
    shown = visit.page.locator("#gatys-view img").first.get_attribute("src")
    assert shown == widgets.data_url(wanted)
    visit.page.wait_for_selector("#gatys-start:not([disabled])")
