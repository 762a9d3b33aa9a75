"""Learning curves as a picture: ``adain curves RUN_DIR... -o OUT.png``.

It reads the ``log.jsonl`` that `adain train` writes into the folder of a run. Each run is a curve;
runs given the same --label are stages of one curve, in the order given, and a stage that counts its
steps from the beginning again follows where the one before it ended.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from adain.errors import AdaINError, found_error
from adain.files import write_atomically
from adain.learning.evaluation.sheets import chart_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANELS = {"target": "target loss", "style": "style loss", "pixel": "pixel loss"}
KINDS = ("train", "held_out")
COLOURS = ("#0b5cad", "#d1495b", "#2f8f5b", "#8a5cb8", "#c77d0a", "#4a4a4a", "#0a93a6", "#b0578d")
WIDTH, HEIGHT, DPI = 1200, 460, 100

Array: TypeAlias = npt.NDArray[np.float64]


@dataclass
class Curve:
    """The losses of a run, or of several stages of one.

    stages: for each of KINDS and PANELS that a stage has, its (step, loss) pairs in order, as far
    as the loss is positive and finite.
    starts: the step after which each stage begins. end: the last step of all.
    """

    stages: list[dict[tuple[str, str], list[tuple[float, float]]]] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    end: float = 0

    def extend(self, path: Path) -> None:
        """Append the log file of the next stage; AdaINError where it cannot be read."""
        lines = read_log(path)
        steps = [step for step, _, _ in lines]
        # A stage that goes on from a checkpoint also goes on counting.
        offset = self.end if min(steps) <= self.end else 0
        points: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for step, kind, losses in lines:
            for name, loss in losses.items():
                # A logarithmic axis cannot show 0, and no axis what a diverged run has.
                if 0 < loss < math.inf:
                    points.setdefault((kind, name), []).append((offset + step, loss))
        self.stages.append(points)
        self.starts.append(self.end)
        self.end = offset + max(steps)

    def lines(self, kind: str, name: str) -> Iterator[tuple[Array, Array]]:
        """For each stage the steps and the losses of one of KINDS and one of PANELS."""
        for points in self.stages:
            pairs = np.array(points.get((kind, name), []), np.float64).reshape(-1, 2)
            steps, losses = pairs.T
            yield steps, losses


def read_log(path: Path) -> list[tuple[float, str, dict[str, float]]]:
    """The steps, kinds and losses of a log, without what PANELS and KINDS do not know.

    Raises AdaINError for a file that is missing, empty or malformed.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise AdaINError(f"{path}: not a readable log: {reason}") from error
    lines = []
    # What follows the last line break is a line that training is writing just now.
    for number, line in enumerate(text.split("\n")[:-1], 1):
        try:
            entry = json.loads(line)
            step, kind = float(entry["step"]), entry.get("kind", "train")
            losses = {name: float(entry[name]) for name in PANELS if name in entry}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            allowed = 'a JSON object with "step", "kind" and numbers'
            raise found_error(f"{path}: line {number}", repr(line[:60]), allowed) from error
        if kind in KINDS:
            lines.append((step, kind, losses))
    if not lines:
        raise AdaINError(f"{path}: found no losses; allowed is a log that `adain train` wrote")
    return lines


def smoothed(losses: Array) -> Array:
    """A centred running geometric mean over a twentieth of the losses, less at the ends."""
    reach = len(losses) // 40
    sums = np.concatenate([[0.0], np.cumsum(np.log(losses))])
    places = np.arange(len(losses))
    start, end = np.maximum(places - reach, 0), np.minimum(places + reach + 1, len(losses))
    means: Array = np.exp((sums[end] - sums[start]) / (end - start))
    return means


def draw(curves: dict[str, Curve]) -> bytes:
    """The curves as a PNG of WIDTH x HEIGHT pixels: held out in full colour, training faint.

    A panel that no curve has points for is left out. Raises AdaINError where all are, and where
    matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
        from matplotlib.lines import Line2D
    except ImportError as error:
        raise AdaINError(
            f"drawing curves needs matplotlib, which cannot be imported ({error});"
            " `pip install 'adain[learn]'` installs it"
        ) from error
    drawn = {name for curve in curves.values() for stage in curve.stages for _, name in stage}
    panels = [name for name in PANELS if name in drawn]
    if not panels:
        raise AdaINError(f"logs: found no positive loss; allowed is one of {', '.join(PANELS)}")
    figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, layout="constrained")
    for axes, name in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        for curve, colour in zip(curves.values(), cycle(COLOURS), strict=False):
            for start in curve.starts[1:]:
                axes.axvline(start, color=colour, linewidth=1, linestyle=":", alpha=0.6)
            for steps, losses in curve.lines("train", name):
                axes.plot(steps, smoothed(losses), color=colour, linewidth=1.3, alpha=0.35)
            for steps, losses in curve.lines("held_out", name):
                marker = "o" if len(steps) <= 40 else ""
                axes.plot(steps, losses, color=colour, linewidth=1.8, marker=marker, markersize=3.5)
        _finish(axes, PANELS[name])
    keys = [
        Line2D([], [], color=colour, linewidth=1.8, label=label)
        for label, colour in zip(curves, cycle(COLOURS), strict=False)
    ]
    keys.append(Line2D([], [], color="gray", linewidth=1.8, label="held out"))
    keys.append(Line2D([], [], color="gray", linewidth=1.3, alpha=0.5, label="training, smoothed"))
    figure.legend(handles=keys, loc="outside upper left", ncols=6, frameon=False, fontsize=11)
    return chart_png(figure)


def _finish(axes: "Axes", title: str) -> None:
    """Axes, ticks and a title, for what is drawn already."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, StrMethodFormatter

    axes.set_title(title, fontsize=12, loc="left")
    axes.set_xlabel("step")
    axes.set_xlim(left=0)
    axes.set_yscale("log")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e4e4e4", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    low, high = axes.get_ylim()
    # A decade needs few ticks, a part of one needs more.
    few, many = (1, 1.5, 2, 3, 5, 7), (1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9)
    axes.yaxis.set_major_locator(LogLocator(subs=many if high < 3 * low else few))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def plot_runs(folders: Sequence[Path], output: Path, labels: Sequence[str] = ()) -> None:
    """Write a PNG of the losses in the ``log.jsonl`` of training runs.

    ``labels`` name the runs' curves, the folders' names by default; runs of one label are joined
    in order. Raises AdaINError for another suffix, another number of labels, and logs that cannot
    be read.
    """
    if output.suffix.lower() != ".png":
        raise found_error(str(output), f"the suffix {output.suffix!r}", ".png")
    if labels and len(labels) != len(folders):
        raise found_error("--label", f"{len(labels)} for {len(folders)} runs", "one for each run")
    if not labels:
        names = [folder.resolve().name for folder in folders]
        # runs/fast and old/fast are two curves.
        labels = names if len(set(names)) == len(names) else [str(folder) for folder in folders]
    curves: dict[str, Curve] = {}
    for label, folder in zip(labels, folders, strict=True):
        curves.setdefault(label, Curve()).extend(folder / "log.jsonl")
    write_atomically(output, draw(curves))
