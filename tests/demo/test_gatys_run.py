"""An optimisation in its thread: its losses, its turns on the device, its end."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from optimizing import SIDE, running, wait_for
from visits import TIMEOUT

from adain import Stylizer, load_image
from adain.demo.gatys_run import Optimisation, Wanted, cancel
from adain.server.engine import Engine
from adain.server.settings import Settings


@pytest.mark.parametrize("start", ["content", "noise", "adain"])
def test_the_losses_are_those_of_the_objective(
    engine: Engine, stylizer: Stylizer, content: Path, style: Path, wanted: Wanted, start: str
) -> None:
    from adain.learning.gatys.inputs import to_side
    from adain.learning.gatys.objective import GatysObjective
    from adain.learning.gatys.options import GatysOptions
    from adain.learning.gatys.run import optimize
    from adain.learning.models.vgg import load_vgg19_layers
    from adain.learning.tensors import to_tensor

    optimisation = Optimisation(engine, replace(wanted, iterations=3, start=start))
    optimisation.run()
    assert optimisation.error is None
    assert optimisation.adain is not None

    seen, painted = load_image(content, max_side=SIDE), load_image(style, max_side=512)
    options = GatysOptions(iterations=3, init=start, device="cpu")  # type: ignore[arg-type]
    pictures = [to_tensor(seen), to_tensor(to_side(painted, SIDE))]
    objective = GatysObjective(load_vgg19_layers(), pictures[0], [pictures[1]], options)
    by_adain = stylizer.stylize(seen, stylizer.encode_style(painted))
    losses = objective.losses(to_tensor(by_adain))
    adain = optimisation.adain
    assert adain.total == pytest.approx(losses["total"].item(), rel=1e-4)
    assert adain.content == pytest.approx(losses["content"].item(), rel=1e-4)
    assert adain.style == pytest.approx(objective.style_weight * losses["style"].item(), rel=1e-4)

    history = optimize(seen, [painted], options).history
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
                wait_for(lambda: len(queue._turns) == 2)
            other.join(TIMEOUT)
            # One more where it had ended, but was not told of, before this thread counted.
            assert iterations.pop() <= before + 2


def test_a_server_that_stops_ends_it(wanted: Wanted) -> None:
    engine = Engine(Settings(), "cpu")
    with running(engine, wanted) as optimisation:
        engine.close()
        assert optimisation.over.wait(TIMEOUT)
    assert str(optimisation.error) == "the server is stopping"
