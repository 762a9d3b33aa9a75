"""The recorded optimisation that ships: whole, small, and shown as a run that goes on."""

from __future__ import annotations

import base64
import io

from PIL import Image

from adain.demo import gatys_plot, gatys_recorded
from adain.drawings import catalog
from adain.drawings.photographs import PHOTOGRAPHS

MOST = 90_000  # bytes, in the wheel


def test_it_is_small_and_of_pictures_that_ship() -> None:
    run = gatys_recorded.run()
    assert run.content in PHOTOGRAPHS and run.style in catalog.STYLES
    files = {path.name for path in gatys_recorded.FOLDER.iterdir()}
    frames = {gatys_recorded.frame_name(iteration) for iteration in run.frames}
    assert files == {gatys_recorded.RUN, gatys_recorded.ADAIN, *frames}
    assert sum(path.stat().st_size for path in gatys_recorded.FOLDER.iterdir()) <= MOST
    # Of the photograph it is said to be of.
    with Image.open(PHOTOGRAPHS[run.content].path) as photo:
        photo.thumbnail((max(run.size),) * 2)
        assert list(photo.size) == run.size


def test_each_frame_is_shown_as_a_run_that_goes_on() -> None:
    shown = list(gatys_recorded.frames())
    assert len(shown) >= 7
    done = [len(progress.history) for progress in shown]
    assert done == gatys_recorded.run().frames == sorted(set(done))
    assert done[-1] == shown[0].iterations
    for progress in shown:
        view = gatys_plot.view(progress)
        assert f"iteration&nbsp;{len(progress.history)}&nbsp;of" in view and "left" not in view
        for address in progress.pictures:
            assert address is not None and address in view
            data = base64.b64decode(address.removeprefix("data:image/webp;base64,"))
            with Image.open(io.BytesIO(data)) as picture:
                assert picture.size == progress.size
                picture.load()
    assert len({progress.pictures[1] for progress in shown}) == len(shown)
    assert len({progress.pictures[0] for progress in shown}) == 1


def test_its_losses_are_those_of_an_optimisation() -> None:
    *_, last = gatys_recorded.frames()
    for losses in [last.adain, *last.history]:
        assert abs(losses.content + losses.style - losses.total) <= 0.002 * losses.total
    totals = [losses.total for losses in last.history]
    assert totals[-1] < totals[0] / 2
    seconds = [losses.seconds for losses in last.history]
    assert seconds == sorted(seconds) and seconds[0] > last.adain.seconds > 0
    assert last.reached is not None
    verdict = gatys_plot.verdict(last, from_adain=False, cancelled=False)
    assert f"after {last.reached} iteration" in verdict


def test_it_says_where_it_was_recorded_and_how_long_it_took() -> None:
    run = gatys_recorded.run()
    took = gatys_plot.duration(run.history[-1][-1])
    count = len(run.history)
    assert run.sentence == f"Recorded on {run.machine}: {count} iterations took {took}."
