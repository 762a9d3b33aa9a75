"""The engine: the opened models, and caches of pictures and styles, for the page and REST alike."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from adain import AdaINError, Style, Stylizer, weights
from adain.errors import DeviceError
from adain.images.picture import FloatArray, Picture
from adain.providers import choose_device
from adain.server.pictures import Pictures, identity
from adain.server.queue import RequestQueue
from adain.server.settings import Settings

KEPT_STYLES = 64
# Each may take a quarter of the memory, and users may have imported any number.
OPEN_MODELS = 2
# So many people may drag a slider in turn, each at the price of a decoder pass.
CACHED_CONTENTS = 4
# A picture of more pixels leaves hundreds of MB with ONNX Runtime, which are given back after it.
LARGE = 2_000_000


class Engine:
    """The models that were used last, opened, and the queue of the requests that use them.

    A request runs by ``queue``, reads by ``picture`` and ``style``, and has the device for its pass
    of the network within ``queue.computing()``.
    """

    def __init__(self, settings: Settings, device: str = "auto", beside: int | None = None) -> None:
        self.settings = settings
        self.queue = RequestQueue(settings, beside)
        self._device = device
        self._stylizers: OrderedDict[str, Stylizer] = OrderedDict()  # the last used at the end
        self._opening: dict[str, threading.Lock] = {}
        self._pictures = Pictures(settings.max_pixels)
        self._styles: OrderedDict[tuple[object, ...], Style] = OrderedDict()
        self._lock = threading.Lock()

    def stylizer(self, model: str = "fast") -> Stylizer:
        """The Stylizer of a model, opened when it is first asked for.

        The OPEN_MODELS that were used last stay open. Raises AdaINError where there is no such
        model, and DeviceError where its files or the device fail.
        """
        with self._lock:
            opening = self._opening.setdefault(model, threading.Lock())
        with opening:
            with self._lock:
                stylizer = self._stylizers.get(model)
            if stylizer is None:
                stylizer = self._open(model)
            with self._lock:
                self._stylizers[model] = stylizer
                self._stylizers.move_to_end(model)
                # Whoever still works with the one that goes keeps it until then.
                while len(self._stylizers) > OPEN_MODELS:
                    self._stylizers.popitem(last=False)
            return stylizer

    def _open(self, model: str) -> Stylizer:
        encoder = weights.find_model(model)["encoder"]
        try:
            if choose_device(self._device, encoder)[0] != "cpu":
                # A GPU refuses what does not fit.
                return Stylizer(model, self._device)
            # An operating system ends the process instead.
            return Stylizer(
                model,
                self._device,
                memory_limit=_share_of_memory(),
                cached_contents=CACHED_CONTENTS,
            )
        except AdaINError as error:
            # The files are here, so it is not by the request.
            raise DeviceError(str(error)) from error

    @property
    def devices(self) -> dict[str, str]:
        """What the opened models run on, by model; the last used at the end."""
        return {model: opened.device for model, opened in list(self._stylizers.items())}

    def picture(self, source: Path | bytes, max_side: int | None = None) -> Picture:
        """An image file or its bytes as a Picture; the last few are kept. AdaINError as
        `load_image` says."""
        picture = self._pictures.get(source, max_side)
        if picture.width * picture.height > LARGE:
            self.queue.at_end(self._give_back_memory)
        return picture

    def style(
        self, source: Path | bytes, model: str, load: Callable[[], FloatArray], *how: object
    ) -> Style:
        """The style of an image file or its bytes, whose picture ``load`` gives; the last are kept.

        ``how`` tells pictures of one source apart.
        """
        key = (model, *identity(source), *how)
        with self._lock:
            if key in self._styles:
                self._styles.move_to_end(key)
                return self._styles[key]
        rgb = load()
        with self.queue.computing(picture=False):
            style = self.stylizer(model).encode_style(rgb, max_side=None)
        with self._lock:
            self._styles[key] = style
            while len(self._styles) > KEPT_STYLES:
                self._styles.popitem(last=False)
        return style

    @property
    def cache_hits(self) -> int:
        """How many pictures did not have to be decoded again."""
        return self._pictures.hits

    def close(self) -> None:
        """Finish what is running, refuse what is waiting."""
        self.queue.close()

    def _give_back_memory(self) -> None:
        for stylizer in list(self._stylizers.values()):
            stylizer.give_back_memory()


def _share_of_memory() -> int | None:
    """A quarter of the machine's, or of what this container has; None where nobody tells.

    Two models may be open, and pictures, features and results take their part.
    """
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
    with suppress(OSError, ValueError):  # of version 1, or no number: "max"
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return total // 4
