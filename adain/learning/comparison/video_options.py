"""The options of a comparison of videos; without PyTorch."""

from collections.abc import Sequence
from dataclasses import dataclass

from adain import weights
from adain.errors import checked_integer, found_error
from adain.registry import DEFAULT_MODEL
from adain.video.options import STEADY, VideoOptions


@dataclass(frozen=True)
class VideoMethod:
    """A model with a share of steadiness; 0 is each frame for itself."""

    model: str
    steady: float = 0.0
    stylize_every: int = 1

    @property
    def name(self) -> str:
        parts = [self.model, f"steady {self.steady:g}" if self.steady else "per frame"]
        return ", ".join([*parts, *([f"every {self.stylize_every}"] * (self.stylize_every > 1))])

    def options(self) -> VideoOptions:
        return VideoOptions(steady=self.steady, stylize_every=self.stylize_every)


@dataclass(frozen=True)
class CompareVideoOptions:
    """What to compare: each model per frame, and with ``steady``.

    ``models`` None: those whose files are here. ``frames`` of each clip are at most ``size`` pixels
    wide or high. ``stylize_every`` is that of the steady ones.
    """

    models: Sequence[str] | None = None
    steady: float = STEADY
    stylize_every: int = 1
    frames: int = 24
    size: int = 320
    threads: int | None = None
    device: str = "cpu"

    def __post_init__(self) -> None:
        checked_integer("frames", self.frames, 2, 240)
        checked_integer("size", self.size, 64, 1280)
        if self.threads is not None:
            checked_integer("threads", self.threads, 1, 1024)
        if not 0 < self.steady <= 1:
            raise found_error("steady", f"{self.steady:g}", "more than 0, up to 1")
        VideoOptions(steady=self.steady, stylize_every=self.stylize_every)
        for model in self.models or ():
            weights.about(model)

    def methods(self) -> list[VideoMethod]:
        """In the order of the report, per frame first; AdaINError where files are missing."""
        models = weights.available_models() if self.models is None else list(self.models)
        for model in models or [DEFAULT_MODEL]:
            weights.find_model(model)
        return [
            VideoMethod(model, *how)
            for model in dict.fromkeys(models)
            for how in ((0.0, 1), (self.steady, self.stylize_every))
        ]
