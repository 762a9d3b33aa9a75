"""The engine: the opened models, and caches of pictures and styles, for the page and REST alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from adain import AdaINError, Style, Stylizer, weights
from adain.cache import Cache
from adain.cgroups import memory_limit
from adain.contract import ENCODER, WHOLE
from adain.errors import DeviceError
from adain.images.picture import Picture
from adain.providers import choose_device
from adain.registry import DEFAULT_MODEL
from adain.server.decoding.pool import Decoders
from adain.server.pictures import Pictures, identity
from adain.server.queue import RequestQueue
from adain.server.settings import Settings
from adain.sessions import Sessions

CACHED_STYLES = 64
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

    def __init__(
        self,
        settings: Settings,
        device: str = "auto",
        beside: int | None = None,
        threads: int | None = None,
    ) -> None:
        self.settings = settings
        self.queue = RequestQueue(settings, beside)
        self._device, self._threads = device, threads
        # Whoever still works with one that goes keeps it until then.
        self._stylizers: Cache[Stylizer] = Cache(OPEN_MODELS)
        self._sessions: Cache[Sessions] = Cache(OPEN_MODELS)
        count = settings.workers + self.queue.beside
        self._decoders = Decoders(count, settings.max_pixels, settings.timeout)
        self._pictures = Pictures(self._decode)
        self._styles: Cache[Style] = Cache(CACHED_STYLES)

    def stylizer(self, model: str = DEFAULT_MODEL) -> Stylizer:
        """The Stylizer of a model, opened when it is first asked for.

        The OPEN_MODELS that were used last stay open. Raises AdaINError where there is no such
        model, and DeviceError where its files or the device fail.
        """
        return self._stylizers.get(model, lambda: self._open(model))

    def _open(self, model: str) -> Stylizer:
        encoder = weights.find_model(model)[ENCODER]
        try:
            if choose_device(self._device, encoder)[0] != "cpu":
                # A GPU refuses what does not fit.
                return Stylizer(model, self._device)
            # An operating system ends the process instead.
            return Stylizer(
                model,
                self._device,
                threads=self._threads,
                memory_limit=_share_of_memory(),
                cached_contents=CACHED_CONTENTS,
            )
        except AdaINError as error:
            # The files are here, so it is not by the request.
            raise DeviceError(str(error)) from error

    def sessions(self, model: str, precision: str) -> Sessions:
        """The sessions of all files of a model, for whoever asks for one by itself.

        Kept, limited and failing as `stylizer` has it.
        """
        return self._sessions.get((model, precision), lambda: self._open_all(model, precision))

    def _open_all(self, model: str, precision: str) -> Sessions:
        files = weights.find_model(model, precision)
        whole = weights.look_for(weights.onnx_file(model, WHOLE, precision))
        if whole is not None:
            files[WHOLE] = whole
        try:
            device = choose_device(self._device, files[ENCODER])[0]
            limit = _share_of_memory() if device == "cpu" else None
            return Sessions(files, self._device, threads=self._threads, memory_limit=limit)
        except AdaINError as error:
            raise DeviceError(str(error)) from error

    def start(self) -> None:
        """Have the decoder processes ready before the first request."""
        self._decoders.start()

    def _decode(self, source: Path | bytes, max_side: int | None) -> Picture:
        return self._decoders.decode(source, max_side, self.queue.abandonment())

    @property
    def devices(self) -> dict[str, str]:
        """What the opened models run on, by model; the last used at the end."""
        return {str(model): opened.device for model, opened in self._stylizers.items()}

    def picture(self, source: Path | bytes, max_side: int | None = None) -> Picture:
        """An image file or its bytes as a Picture; the last few are kept. AdaINError as
        `load_image` says."""
        picture = self._pictures.get(source, max_side)
        if picture.width * picture.height > LARGE:
            self.queue.at_end(self.give_back_memory)
        return picture

    def style(
        self, source: Path | bytes, model: str, load: Callable[[], Picture], *how: object
    ) -> Style:
        """The style of an image file or its bytes, whose picture ``load`` gives; the last are kept.

        ``how`` tells pictures of one source apart.
        """

        def encode() -> Style:
            picture = load()
            with self.queue.computing(picture=False):
                return self.stylizer(model).encode_style(picture, max_side=None)

        return self._styles.get((model, *identity(source), *how), encode)

    @property
    def ready(self) -> bool:
        """Whether pictures are taken: not until a model is loaded, nor while stopping."""
        return bool(self.devices) and not self.queue.stopping

    @property
    def cache_hits(self) -> int:
        """How many pictures did not have to be decoded again."""
        return self._pictures.hits

    @property
    def refusals(self) -> Counter[str]:
        """How many requests were refused for want of room or time, by reason."""
        return self.queue.refusals + self._decoders.refusals

    def close(self, seconds: float | None = None) -> bool:
        """Refuse what is waiting, finish what is running; whether that took no more ``seconds``."""
        finished = self.queue.close(seconds)
        self._decoders.close()
        return finished

    def give_back_memory(self) -> None:
        """Free what the models keep of earlier, larger pictures."""
        for _, stylizer in self._stylizers.items():
            stylizer.give_back_memory()


def _share_of_memory() -> int | None:
    """A quarter of the machine's, or of what this container has; None where nobody tells.

    Two models may be open, and pictures, features and results take their part.
    """
    total = memory_limit()
    return None if total is None else total // 4
