"""One optimisation as Gatys et al. (2016) do it, beside AdaIN's picture, in a thread of its own."""

from __future__ import annotations

import logging
import math
import shlex
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from adain import AdaINError
from adain.cgroups import memory_available
from adain.demo.gatys_plot import Losses, Progress, about
from adain.demo.pictures import data_url
from adain.errors import found_error
from adain.images.picture import Picture
from adain.options import STYLE_SIDE
from adain.server.engine import Engine
from adain.server.queue import BusyError

# PyTorch takes seconds and 300 MB: what imports it is imported when somebody presses Start.
if TYPE_CHECKING:
    from adain.learning.gatys import run as gatys
    from adain.learning.gatys.options import GatysOptions
    from adain.learning.models.vgg import VGG19Layers

log = logging.getLogger(__name__)

# Bytes that an optimisation takes at most, PyTorch and VGG-19 included; the largest that the page
# offers takes 1.7 GB.
MEMORY = 2_000_000_000
TIMED = 3  # pictures of AdaIN, whose median time counts


def installing() -> str:
    """The command that installs what is missing beside the Python that runs."""
    source = Path(__file__).resolve().parents[2]
    package = f"{source}[learn]" if (source / "pyproject.toml").is_file() else "adain[learn]"
    editable = ["--editable"] if package != "adain[learn]" else []
    return shlex.join([sys.executable, "-m", "pip", "install", *editable, package])


@dataclass(frozen=True)
class Wanted:
    """What a visitor asks for; ``size`` is the long side in pixels."""

    content: str
    style: str
    size: int
    iterations: int
    start: str
    model: str


class Optimisation:
    """AdaIN's picture and then Gatys's; ``run`` makes them, and other threads may look at it."""

    def __init__(self, engine: Engine, wanted: Wanted) -> None:
        self.engine, self.wanted = engine, wanted
        self.stop, self.over = threading.Event(), threading.Event()
        self.error: AdaINError | None = None
        self.adain: Losses | None = None
        self.history: list[Losses] = []
        self._pictures: list[Picture] = []  # the content's, AdaIN's
        self._image: Any = None  # a torch.Tensor
        self._began = 0.0

    def run(self) -> None:
        """All of it; what goes wrong is then in ``error``."""
        try:
            self._work()
        except AdaINError as error:
            self.error = error
        except ImportError as error:
            self.error = AdaINError(f"the optimisation needs PyTorch ({error}): {installing()}")
        except Exception:
            log.exception("the optimisation failed")
            self.error = AdaINError("the optimisation failed; the server's log says why")

    def _work(self) -> None:
        free = memory_available()
        if free is not None and free < MEMORY:
            found = f"{free // 10**6:,} MB of free memory"
            raise found_error("the optimisation", found, f"at least {MEMORY // 10**6:,} MB")
        from adain.learning.gatys import run as gatys
        from adain.learning.gatys.inputs import check_inputs
        from adain.learning.models.vgg import load_vgg19_layers

        content = self.engine.picture(Path(self.wanted.content), self.wanted.size)
        style = self.engine.picture(Path(self.wanted.style), STYLE_SIDE)
        self.options, vgg, turn = self._options(), load_vgg19_layers(), ExitStack()
        check_inputs(content, [style], self.options, None)

        def between(told: gatys.GatysProgress) -> bool:
            turn.close()
            self._image = told.image
            self.history.append(self._weighted(told.losses, told.seconds))
            if not self._ends():
                turn.enter_context(self.engine.queue.computing(picture=False))
            return self._ends()

        # An iteration takes all cores, as a stylization does, so it takes a turn of the device
        # like one: whoever else waits does so for one iteration, and PyTorch's threads never
        # compete with those of ONNX Runtime.
        with self.engine.queue.computing():
            seconds = self._stylize(content, style)
        with self.engine.queue.computing(picture=False):
            self._judge(vgg, style, seconds)
        self._began = time.monotonic()
        if not self._ends():
            with turn:
                turn.enter_context(self.engine.queue.computing(picture=False))
                gatys.optimize(content, [style], self.options, callback=between, vgg=vgg)

    def _ends(self) -> bool:
        # PyTorch does not bear that Python ends while it computes. Python waits for its threads,
        # but only after the main one, so this one must see for itself.
        return self.stop.is_set() or not threading.main_thread().is_alive()

    def _options(self) -> GatysOptions:
        from adain.learning.gatys.options import GatysOptions

        wanted = self.wanted
        on_cpu = self.engine.stylizer(wanted.model).device == "cpu"
        return GatysOptions(
            iterations=wanted.iterations,
            init=wanted.start,  # type: ignore[arg-type]
            model=wanted.model,
            device="cpu" if on_cpu else "auto",  # both on the same, for the clock's sake
        )

    def _stylize(self, content: Picture, style: Picture) -> float:
        """Make AdaIN's picture; the seconds that it takes."""
        stylizer = self.engine.stylizer(self.wanted.model)

        def stylized(content: Picture, style: Picture) -> Picture:
            return stylizer.stylize(content, stylizer.encode_style(style))

        result, times = stylized(content, style), []
        for number in range(1, TIMED + 1):
            # The Stylizer keeps what it found in these pictures, so its time is that of others.
            others = [
                Picture(0.999 * p.rgb + np.float32(1.3e-4 * number)) for p in (content, style)
            ]
            started = time.perf_counter()
            stylized(*others)
            times.append(time.perf_counter() - started)
        self._pictures = [content, result]
        return median(times)

    def _judge(self, vgg: VGG19Layers, style: Picture, seconds: float) -> None:
        """The losses of AdaIN's picture, as the optimisation is going to see its own."""
        from adain.learning.gatys.run import losses_of

        content, result = self._pictures
        losses, self._style_weight = losses_of(result, content, style, self.options, vgg)
        self.adain = self._weighted(losses, seconds)

    def _weighted(self, losses: Mapping[str, float], seconds: float) -> Losses:
        return Losses(
            content=self.options.content_weight * losses["content"],
            style=self._style_weight * losses["style"],
            total=losses["total"],
            seconds=seconds,
        )

    @property
    def left(self) -> float | None:
        """About how many seconds are left, those included in which others have the device."""
        done = len(self.history)
        if not done:
            return None
        return (time.monotonic() - self._began) / done * (self.wanted.iterations - done)

    def progress(self) -> Progress | None:
        """What there is to see; None before there is AdaIN's picture."""
        adain, image, history = self.adain, self._image, list(self.history)
        if adain is None:
            return None
        pictures: list[str | None] = [data_url(self._pictures[1]), None]
        if image is not None:
            from adain.learning.gatys.run import finished

            pictures[1] = data_url(finished(self._pictures[0], image, self.options))
        size = self._pictures[0].width, self._pictures[0].height
        left = None if self.over.is_set() else self.left
        wanted = self.wanted
        return Progress(wanted.model, wanted.iterations, pictures, size, adain, history, left)


_running: dict[str, Optimisation] = {}  # by visitor; one in this process
_lock = threading.Lock()


def begin(optimisation: Optimisation, visitor: str) -> None:
    """Start it in a thread; BusyError where another one runs."""
    with _lock:
        for other in _running.values():
            ending = other.stop.is_set()
            seconds = 1 if ending else math.ceil(other.left or 10)
            message = (
                "busy: one optimisation runs at a time, and another visitor's is running; try again"
                f" in {about(seconds)}"
            )
            raise BusyError(message, retry_after=seconds)
        _running[visitor] = optimisation
    threading.Thread(target=_run, args=(optimisation, visitor), name="gatys").start()


def _run(optimisation: Optimisation, visitor: str) -> None:
    optimisation.run()
    with _lock:
        del _running[visitor]
    optimisation.over.set()


def cancel(visitor: str) -> None:
    """End the visitor's optimisation after the iteration that it is at."""
    with _lock:
        if visitor in _running:
            _running[visitor].stop.set()
