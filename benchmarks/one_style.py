"""One network per style beside ``fast``: ``python -m benchmarks.one_style``.

A table of losses, time and size of what ``adain specialise`` made, and of ``fast`` with the same
painting. Both make the same pictures in turn, in one process, on one thread.
"""

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import fmean, median
from typing import Any

import click
import numpy as np
import numpy.typing as npt
import onnxruntime
import torch

from adain import contract, weights
from adain.cli.parameters import FILE
from adain.cli.run import run
from adain.images import load_image
from adain.images.picture import from_array
from adain.learning.evaluation.scoring import ImageFeatures, Scorer
from adain.learning.losses import mean_squared_error, style_loss
from adain.learning.models.pretrained import load_vgg19_encoder
from adain.learning.tensors import to_tensor
from adain.padding import to_planar
from adain.tables import markdown_table
from benchmarks.machine import describe_cpu, describe_versions

Array = npt.NDArray[Any]
FAST, FAST_STYLE_KEPT, ONE_STYLE = "fast, whole file", "fast, style encoded before", "one style"
STRIDE = 8


def session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


class Sides:
    """Calls that each make the stylised picture, uint8 ``[1, H, W, 3]``, of such a content."""

    def __init__(self, file: Path, painting: Array) -> None:
        parts = (contract.WHOLE, contract.ENCODER, contract.DECODER, contract.STYLE_NETWORK)
        paths = {
            part: weights.find(weights.onnx_file("fast", part, "fp32"), get="") for part in parts
        }
        self.whole, self.encoder, self.decoder, style = (session(paths[part]) for part in parts)
        self.one = session(file)
        self.painting = painting
        image = to_planar(painting[0].astype(np.float32) / 255, STRIDE)
        self.style = style.run(None, {contract.IMAGE: image})[0]
        self.sizes = {
            FAST: paths[contract.WHOLE].stat().st_size,
            FAST_STYLE_KEPT: sum(
                paths[part].stat().st_size for part in (contract.ENCODER, contract.DECODER)
            ),
            ONE_STYLE: file.stat().st_size,
        }

    def calls(self) -> Mapping[str, Callable[[Array], Array]]:
        return {FAST: self.fast, FAST_STYLE_KEPT: self.fast_style_kept, ONE_STYLE: self.one_style}

    def fast(self, content: Array) -> Array:
        alpha = np.ones(1, np.float32)
        feeds = {contract.WHOLE_CONTENT: content, contract.WHOLE_STYLE: self.painting}
        return _only(self.whole.run(None, feeds | {contract.WHOLE_ALPHA: alpha}))

    def fast_style_kept(self, content: Array) -> Array:
        image = to_planar(content[0].astype(np.float32) / 255, STRIDE)
        features, statistics = self.encoder.run(None, {contract.IMAGE: image})
        one = np.ones((1, 1, 1, 1), np.float32)
        feeds = {contract.FEATURES: features, contract.STATISTICS: statistics}
        feeds |= {contract.STYLE: self.style, contract.ALPHA: one, contract.STRENGTH: one}
        planes = _only(self.decoder.run(None, feeds | {contract.IMAGE: image}))
        pixels = (planes * 255 + 0.5).astype(np.uint8).transpose(0, 2, 3, 1)
        return pixels[:, : content.shape[1], : content.shape[2]]

    def one_style(self, content: Array) -> Array:
        feeds = {contract.WHOLE_CONTENT: content, contract.WHOLE_ALPHA: np.ones(1, np.float32)}
        return _only(self.one.run(None, feeds))


def _only(outputs: list[Array]) -> Array:
    return outputs[0]


def pixels(path: Path, size: int) -> Array:
    """A picture of ``size`` pixels, or less, on its long side, uint8 ``[1, H, W, 3]``."""
    return load_image(path, max_side=size).to_array()[None, :, :, :3]


@torch.inference_mode()
def described(scorer: Scorer, picture: Array) -> ImageFeatures:
    """What the losses need of a picture, uint8 ``[1, H, W, 3]``."""
    return scorer.describe(to_tensor(from_array(picture[0], "a picture")))


@click.command(
    epilog="\b\nExamples:\n"
    "  python -m benchmarks.one_style wave.onnx great-wave.jpg photos/a.jpg photos/b.jpg\n"
)
@click.argument("file", type=FILE)
@click.argument("painting", type=FILE)
@click.argument("contents", type=FILE, nargs=-1, required=True)
@click.option("--size", type=click.IntRange(64, 2048), default=512, show_default=True)
@click.option("--runs", type=click.IntRange(1, 1000), default=10, show_default=True)
def one_style(file: Path, painting: Path, contents: tuple[Path, ...], size: int, runs: int) -> None:
    """Measure FILE of `adain specialise` for PAINTING beside fast, on CONTENTS.

    Losses (AdaIN eq. 13; relu4_1) are means over the contents, of SIZE pixels on the long side,
    against the painting of the same size; milliseconds of processor time are of a square of SIZE,
    the median of RUNS.
    """
    of_style = pixels(painting, size)
    sides = Sides(file, of_style)
    scorer = Scorer(load_vgg19_encoder())
    found: dict[str, list[tuple[float, float]]] = {FAST: [], ONE_STYLE: []}
    wanted = described(scorer, of_style).statistics
    for path in contents:
        content = pixels(path, size)
        relu4_1 = described(scorer, content).relu4_1
        for name in found:
            ours = described(scorer, sides.calls()[name](content))
            content_loss = mean_squared_error(ours.relu4_1, relu4_1).item()
            found[name].append((style_loss(ours.statistics, wanted).item(), content_loss))
    found[FAST_STYLE_KEPT] = found[FAST]
    square = np.random.default_rng(0).integers(0, 256, (1, size, size, 3), np.uint8)
    times: dict[str, list[float]] = {name: [] for name in sides.calls()}
    for turn in range(runs + 1):
        for name, call in sides.calls().items():
            started = time.process_time()
            call(square)
            if turn:  # the first warms up
                times[name].append(1e3 * (time.process_time() - started))
    rows = [
        [
            name,
            *(f"{fmean(values):.3f}" for values in zip(*found[name], strict=True)),
            f"{median(times[name]):.1f}",
            f"{sides.sizes[name] / 1e6:.2f}",
        ]
        for name in sides.calls()
    ]
    click.echo(f"{painting.name}, {len(contents)} contents of {size} px, {describe_cpu()},")
    click.echo(f"{describe_versions()}\n")
    click.echo(markdown_table(("", "style loss", "content loss", "ms", "MB"), rows))


if __name__ == "__main__":
    sys.exit(run(one_style))
