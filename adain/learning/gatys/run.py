"""Style transfer by optimisation (Gatys, Ecker and Bethge, CVPR 2016), coarse to fine.

`adain.learning.gatys.objective` says what is minimised.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from adain.colours import with_luminance
from adain.images.picture import Picture
from adain.learning.devices import torch_device
from adain.learning.gatys.inputs import (
    check_inputs,
    choose_checkpointing,
    coloured,
    guide,
    resize,
    sizes,
    start,
    to_side,
)
from adain.learning.gatys.lbfgs import ProjectedLBFGS
from adain.learning.gatys.objective import GatysObjective
from adain.learning.gatys.options import GatysOptions
from adain.learning.memory import freed_memory_kept
from adain.learning.models.vgg import VGG19Layers, load_vgg19_layers
from adain.learning.tensors import to_tensor


@dataclass(frozen=True)
class GatysProgress:
    """One iteration: ``iteration`` of ``iterations`` in all, 1 the first; ``side`` is the long one.

    ``losses``: content, style, tv (each without its weight) and total. ``image``: the picture so
    far, float32 ``[1, 3, h, w]`` in [0, 1]; not to be changed.
    """

    iteration: int
    iterations: int
    side: int
    seconds: float
    losses: Mapping[str, float]
    image: Tensor


@dataclass(frozen=True)
class GatysResult:
    """The picture, the losses of every iteration, and whether the callback ended it early."""

    picture: Picture
    history: list[dict[str, float]]
    seconds: float
    stopped: bool


def optimize(
    content: Picture,
    styles: Sequence[Picture],
    options: GatysOptions | None = None,
    *,
    masks: Sequence[Picture] | None = None,
    callback: Callable[[GatysProgress], object] | None = None,
    vgg: VGG19Layers | None = None,
) -> GatysResult:
    """The content in the style of the styles, as large as the content; its alpha is kept.

    ``masks``, one for each style, say where that style goes as `adain.maps.load_map` reads them,
    white for yes; they are stretched to the content's size. ``callback`` is told of every
    iteration, and ends the run by returning True: the picture so far is then the result. ``vgg`` is
    the network where it is at hand already. Raises AdaINError for what is no mask, too small
    pictures, missing weights and too little memory.
    """
    options = options or GatysOptions()
    check_inputs(content, styles, options, masks)
    with freed_memory_kept():
        return _optimised(content, styles, options, masks, callback, vgg)


def _optimised(
    content: Picture,
    styles: Sequence[Picture],
    options: GatysOptions,
    masks: Sequence[Picture] | None,
    callback: Callable[[GatysProgress], object] | None,
    vgg: VGG19Layers | None,
) -> GatysResult:
    device = torch_device(options.device)
    dtype = torch.bfloat16 if options.precision == "bf16" else torch.float32
    if vgg is None:
        vgg = load_vgg19_layers(options.vgg, options.pooling)
    vgg = vgg.to(device, dtype).to(memory_format=torch.channels_last)
    torch.manual_seed(options.seed)
    steps = sizes(content.width, content.height, options)
    checkpointing = choose_checkpointing(vgg, content.width, content.height, options, device)
    seen_content, seen_styles = coloured(
        content.opaque(), [style.opaque() for style in styles], options
    )
    run = _Run(options, total_iterations(content.width, content.height, options), callback)
    image = start(seen_content.resized(*steps[0][:2]), seen_styles, options, masks).to(device)
    for width, height, iterations in steps:
        image = resize(image, height, width)
        side = round(max(width, height) * options.style_scale)
        objective = GatysObjective(
            vgg,
            to_tensor(seen_content.resized(width, height)).to(device),
            [to_tensor(to_side(style, side)).to(device) for style in seen_styles],
            options,
            None if masks is None else [guide(m, width, height).to(device) for m in masks],
            checkpointing=checkpointing,
        )
        image = run.optimise(objective, image, iterations)
        if run.stopped:
            break
    return GatysResult(finished(content, image, options), run.history, run.seconds, run.stopped)


@torch.no_grad()
def losses_of(
    image: Picture, content: Picture, style: Picture, options: GatysOptions, vgg: VGG19Layers
) -> tuple[dict[str, float], float]:
    """The losses of any picture as the optimisation sees its own, and the weight of the style loss.

    ``image`` is as large as ``content``; the style is brought to its size. The losses are content,
    style, tv (each without its weight) and total.
    """
    device = torch_device(options.device)
    side = max(content.width, content.height)
    seen = [to_tensor(p).to(device) for p in (content, to_side(style, side), image)]
    objective = GatysObjective(vgg.to(device), seen[0], [seen[1]], options)
    losses = {name: loss.item() for name, loss in objective.losses(seen[2]).items()}
    return losses, objective.style_weight


def total_iterations(width: int, height: int, options: GatysOptions) -> int:
    """How many iterations a content of this size takes, at all sizes."""
    return sum(iterations for _, _, iterations in sizes(width, height, options))


def finished(content: Picture, image: Tensor, options: GatysOptions) -> Picture:
    """What is made of an optimised image ``[1, 3, h, w]``: the content's size, colours, alpha."""
    image = resize(image, content.height, content.width)
    rgb = np.ascontiguousarray(image[0].permute(1, 2, 0).cpu().numpy())
    if options.colours == "luminance":
        rgb = with_luminance(content.opaque().rgb, rgb)
    return Picture(rgb, content.alpha)


class _Run:
    """The iterations at all sizes: their count, clock and history."""

    def __init__(
        self, options: GatysOptions, total: int, callback: Callable[[GatysProgress], object] | None
    ) -> None:
        self.options, self.total, self.callback = options, total, callback
        self.history: list[dict[str, float]] = []
        self.done = 0
        self.seconds = 0.0
        self.stopped = False

    def optimise(self, objective: GatysObjective, image: Tensor, iterations: int) -> Tensor:
        """The best picture of these iterations."""
        if not iterations:
            return image
        started = time.perf_counter()
        minimise = _lbfgs if self.options.optimizer == "lbfgs" else _adam
        best, steps = image, minimise(objective, image, self.options)
        for _, (best, losses) in zip(range(iterations), steps, strict=False):
            self.done += 1
            now = time.perf_counter()
            self.seconds, started = self.seconds + now - started, now
            self.history.append({"seconds": self.seconds, **losses})
            if self.callback is not None:
                side = max(image.shape[2:])
                told = GatysProgress(self.done, self.total, side, self.seconds, losses, best)
                self.stopped = self.callback(told) is True
                # What the callback does with the picture is not the method's time.
                started = time.perf_counter()
            if self.stopped:
                break
        return best


Steps = Iterator[tuple[Tensor, dict[str, float]]]


def _lbfgs(objective: GatysObjective, image: Tensor, options: GatysOptions) -> Steps:
    search = ProjectedLBFGS(objective.evaluate, image)
    # The point that a step accepts is the last one it evaluated.
    while search.step():
        yield search.point, objective.latest


def _adam(objective: GatysObjective, image: Tensor, options: GatysOptions) -> Steps:
    point = image.clone().requires_grad_()
    optimizer = torch.optim.Adam([point], options.learning_rate)
    best, least = image, math.inf
    while True:
        total, point.grad = objective.evaluate(point)
        if total < least:
            best, least = point.detach().clone(), total
        yield best, objective.latest
        optimizer.step()
        with torch.no_grad():
            point.clamp_(0, 1)
