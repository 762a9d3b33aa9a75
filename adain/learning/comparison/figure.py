"""The figure of the AdaIN paper: Gatys's losses over its iterations, and AdaIN's as lines."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from adain.learning.comparison.results import Compared, Result
from adain.learning.evaluation.sheets import chart_png
from adain.registry import TRAINED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT, DPI = 1200, 480, 100
# A loss, its name in a history, and its column in the figures.
PANELS = (("style loss", "style", "gatys_style"), ("content loss", "content", "gatys_content"))
COLOURS = dict(
    zip(("gatys-from-content", *TRAINED), ("#5b4bb5", "#2f74d0", "#d1572b"), strict=False)
)
OTHER = "#178a5f"

Array = npt.NDArray[np.float64]


def losses_figure(compared: Compared) -> bytes:
    """A PNG: each term of Gatys's loss, without its weight, over the iterations.

    Geometric means over the pairs; AdaIN's are those of its largest strength. The paper's figure 4.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    pairs = list(compared.pairs().values())
    for axes, (title, term, column) in zip(figure.subplots(1, 2), PANELS, strict=True):
        _panel(axes, pairs, term, column)
        axes.set_title(f"{title} (geometric mean of {len(pairs)} pairs)", fontsize=11, loc="left")
    figure.axes[0].legend(frameon=False, fontsize=10)
    return chart_png(figure)


def _panel(axes: "Axes", pairs: Sequence[Sequence[Result]], term: str, column: str) -> None:
    for family in dict.fromkeys(result.family for result in pairs[0]):
        colour = COLOURS.get(family, OTHER)
        # The last of a model is its largest strength, the last of a run its end.
        last = [[r for r in results if r.family == family][-1] for results in pairs]
        if last[0].method.alpha is not None:
            loss = _mean([[float(result.figures[column] or 0)] for result in last])[0]
            label = f"AdaIN, {last[0].label}"
            axes.axhline(loss, color=colour, linestyle="--", label=label)
            continue
        steps = min(len(result.history) for result in last)
        losses = _mean([[step[term] for step in result.history[:steps]] for result in last])
        start = "the content" if last[0].method.start == "content" else "AdaIN's picture"
        axes.plot(range(1, steps + 1), losses, color=colour, label=f"Gatys, from {start}")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("iterations")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e4e4e4", linewidth=0.8)


def _mean(rows: Sequence[Sequence[float]]) -> Array:
    """The geometric mean of the rows, entry by entry."""
    smallest = np.finfo(np.float64).tiny
    mean: Array = np.exp(np.log(np.maximum(np.array(rows, np.float64), smallest)).mean(axis=0))
    return mean
