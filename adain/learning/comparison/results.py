"""Results of a comparison: pictures, their metrics, and the columns that the report shows.

A metric that is to stand in the report becomes a `Measure` here; `adain.learning.comparison.runs`
computes it, from `adain.learning.evaluation.metrics`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from adain.images.picture import Picture
from adain.learning.comparison.options import Method


@dataclass(frozen=True)
class Measure:
    """A column; on the page its values are multiplied by ``scale``. ``better``: low or high."""

    key: str
    label: str
    about: str
    better: str = "low"
    scale: float = 1.0
    plotted: bool = True


MEASURES = (
    Measure(
        "gatys_loss",
        "Gatys's loss",
        "What Gatys minimises, content and style together, here taken of every picture alike; in"
        " millions.",
        scale=1e-6,
    ),
    Measure(
        "style_loss",
        "style-statistics loss",
        "How far the means and deviations of relu1_1 to relu4_1 are from the style's.",
    ),
    Measure(
        "gram_loss",
        "Gram loss \u00d710\u00b3",
        "How far the Gram matrices of the same layers are from the style's.",
        scale=1e3,
    ),
    Measure(
        "content_loss",
        "content loss",
        "Mean squared difference of relu4_1 between picture and content.",
    ),
    Measure(
        "target_loss",
        "target loss",
        "Mean squared difference of relu4_1 between picture and AdaIN(content, style), what AdaIN's"
        " decoder is trained on.",
    ),
    Measure(
        "ssim", "SSIM", "Structural similarity of the luma to the content's; 1 is equal.", "high"
    ),
    Measure(
        "colour_distance",
        "colour distance",
        "Sliced Wasserstein distance of the RGB values, 0 to 1, to those of the style.",
    ),
    Measure(
        "seconds",
        "seconds",
        "From the picture and a fresh style in memory to the result, weights loaded, after a"
        " warm-up. AdaIN: the median of five pictures. Gatys: one run, and from AdaIN's picture"
        " with loading AdaIN and making that picture.",
        plotted=False,
    ),
    Measure(
        "memory",
        "peak memory (MB)",
        "The most resident memory (millions of bytes) that a fresh process held up to the result:"
        " interpreter, libraries, weights and warm-up included; not a GPU's.",
        scale=1e-6,
        plotted=False,
    ),
)
# These are kept too, the two terms of `gatys_loss` without their weights.
COLUMNS = (*(measure.key for measure in MEASURES), "gatys_content", "gatys_style")


@dataclass(frozen=True)
class Result:
    """A picture and its figures. ``curve`` and ``history`` belong to the last one of a run.

    ``curve`` has the figures at some iterations, ``history`` Gatys's own losses at all of them.
    """

    content: str
    style: str
    method: Method
    picture: Path
    figures: Mapping[str, float | None]
    curve: Sequence[Mapping[str, float]]
    history: Sequence[Mapping[str, float]]

    @property
    def iterations(self) -> int:
        return int(self.figures["iterations"] or 0)

    @property
    def key(self) -> str:
        gatys = self.method.alpha is None
        return f"{self.method.name}-{self.iterations}" if gatys else self.method.name

    @property
    def family(self) -> str:
        return self.method.name if self.method.alpha is None else str(self.method.model)

    @property
    def label(self) -> str:
        if self.method.alpha is not None:
            return f"{self.method.model}, strength {self.method.alpha:g}"
        start = "AdaIN" if self.method.start == "adain" else "content"
        return f"Gatys, {self.iterations} from {start}"


@dataclass(frozen=True)
class Compared:
    """All results, pair by pair and in the same order for each; ``images`` are the inputs."""

    results: Sequence[Result]
    images: Mapping[str, Picture]
    size: int
    threads: int
    devices: Sequence[str]
    notes: str = ""

    def pairs(self) -> dict[tuple[str, str], list[Result]]:
        pairs: dict[tuple[str, str], list[Result]] = {}
        for result in self.results:
            pairs.setdefault((result.content, result.style), []).append(result)
        return pairs
