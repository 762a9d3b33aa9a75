"""An optimisation of the demo's in this process, to look at while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from visits import TIMEOUT

from adain.demo.gatys_run import Optimisation, Wanted, begin, cancel
from adain.server.engine import Engine

SIDE = 48  # pixels: an iteration takes some hundredths of a second


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
