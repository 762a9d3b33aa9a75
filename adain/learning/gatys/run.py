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
from adain.learning.gatys.footprint import Plan, plan, room
from adain.learning.gatys.inputs import (
    check_inputs,
    coloured,
    guide,
    resize,
    size_at,
    sizes,
    start,
    style_side,
    to_side,
)
from adain.learning.gatys.lbfgs import ProjectedLBFGS
from adain.learning.gatys.objective import EvaluationInterruptedError, GatysObjective
from adain.learning.gatys.options import GatysOptions
from adain.learning.memory import freed_memory_kept
from adain.learning.models.vgg import VGG19Layers, load_vgg19_layers
from adain.learning.tensors import to_tensor, view_of


@dataclass(frozen=True)
class GatysProgress:
    """One iteration: ``iteration`` of ``iterations`` in all, 1 the first; ``side`` is the long one.

    ``losses``: content, style, tv (each without its weight) and total. ``image``: the picture so
    far, float32 ``[1, 3, h, w]`` in [0, 1]; not to be changed. ``tile`` is the side of the tiles,
    with margins, where the size is optimised by them.
    """

    iteration: int
    iterations: int
    side: int
    seconds: float
    losses: Mapping[str, float]
    image: Tensor
    tile: int | None = None


@dataclass(frozen=True)
class GatysResult:
    """The picture, the losses of every iteration, and whether it was ended early."""

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
    interrupted: Callable[[], bool] = lambda: False,
    vgg: VGG19Layers | None = None,
) -> GatysResult:
    """The content in the style of the styles, as large as the content; its alpha is kept.

    ``masks``, one for each style, say where that style goes as `adain.maps.load_map` reads them,
    white for yes; they are stretched to the content's size. ``callback`` is told of every
    iteration, and ends the run by returning True: the picture so far is then the result.
    ``interrupted`` is asked before each tile, whose iterations may take minutes, and ends the run
    likewise, without the iteration that it is in. ``vgg`` is the network where it is at hand
    already. Raises AdaINError for what is no mask, too small pictures, missing weights and too
    little memory.
    """
    options = options or GatysOptions()
    check_inputs(content, styles, options, masks)
    with freed_memory_kept():
        return _optimised(content, styles, options, masks, callback, interrupted, vgg)


def _optimised(
    content: Picture,
    styles: Sequence[Picture],
    options: GatysOptions,
    masks: Sequence[Picture] | None,
    callback: Callable[[GatysProgress], object] | None,
    interrupted: Callable[[], bool],
    vgg: VGG19Layers | None,
) -> GatysResult:
    device = torch_device(options.device)
    dtype = torch.bfloat16 if options.precision == "bf16" else torch.float32
    if vgg is None:
        vgg = load_vgg19_layers(options.vgg, options.pooling)
    vgg = vgg.to(device, dtype).to(memory_format=torch.channels_last)
    torch.manual_seed(options.seed)
    steps, free = sizes(content.width, content.height, options), room(options, device)
    # The last first: where it does not fit, its size is told.
    plans: list[Plan] = []
    for width, height, _ in reversed(steps):
        side = style_side(width, height, options)
        looked_at = [size_at(style, side) for style in styles]
        plans.insert(0, plan(vgg, width, height, options, free, looked_at, len(masks or ())))
    seen_content, seen_styles = coloured(
        content.opaque(), [style.opaque() for style in styles], options
    )
    first = start(seen_content.resized(*steps[0][:2]), seen_styles, options, masks).to(device)
    run = _Run(first, options, total_iterations(content.width, content.height, options), callback)
    del first  # pictures are large, and the run lets go of each when there is a better one
    for (width, height, iterations), planned in zip(steps, plans, strict=True):
        run.image = resize(run.image, height, width)
        side = style_side(width, height, options)
        try:
            objective = GatysObjective(
                vgg,
                view_of(seen_content.resized(width, height)).to(device),
                [to_tensor(to_side(style, side)).to(device) for style in seen_styles],
                options,
                None if masks is None else [guide(m, width, height).to(device) for m in masks],
                checkpointing=planned.checkpointing,
                tile=planned.tile,
                interrupted=interrupted,
            )
            run.optimise(objective, iterations, planned)
            del objective
        except EvaluationInterruptedError:
            run.stopped = True
        if run.stopped:
            break
    picture = finished(content, run.image, options)
    return GatysResult(picture, run.history, run.seconds, run.stopped)


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
    """The best picture so far, and the iterations at all sizes: their count, clock and history."""

    def __init__(
        self,
        image: Tensor,
        options: GatysOptions,
        total: int,
        callback: Callable[[GatysProgress], object] | None,
    ) -> None:
        self.image, self.options, self.total, self.callback = image, options, total, callback
        self.history: list[dict[str, float]] = []
        self.done = 0
        self.seconds = 0.0
        self.stopped = False

    def optimise(self, objective: GatysObjective, iterations: int, planned: Plan) -> None:
        if not iterations:
            return
        started = time.perf_counter()
        if self.options.optimizer == "lbfgs":
            steps = _lbfgs(objective, self.image, planned.pairs)
        else:
            steps = _adam(objective, self.image, self.options.learning_rate)
        for _, (self.image, losses) in zip(range(iterations), steps, strict=False):
            self.done += 1
            now = time.perf_counter()
            self.seconds, started = self.seconds + now - started, now
            self.history.append({"seconds": self.seconds, **losses})
            if self.callback is not None:
                self.stopped = self.callback(self._progress(losses, planned.tile)) is True
                # What the callback does with the picture is not the method's time.
                started = time.perf_counter()
            if self.stopped:
                break

    def _progress(self, losses: Mapping[str, float], tile: int | None) -> GatysProgress:
        side = max(self.image.shape[2:])
        return GatysProgress(
            self.done, self.total, side, self.seconds, losses, self.image, tile=tile
        )


Steps = Iterator[tuple[Tensor, dict[str, float]]]


def _lbfgs(objective: GatysObjective, image: Tensor, pairs: int) -> Steps:
    search = ProjectedLBFGS(objective.evaluate, image, memory=pairs)
    del image
    # The point that a step accepts is the last one it evaluated.
    while search.step():
        yield search.point, objective.latest


def _adam(objective: GatysObjective, image: Tensor, learning_rate: float) -> Steps:
    point = image.clone().requires_grad_()
    optimizer = torch.optim.Adam([point], learning_rate)
    best, least = image, math.inf
    del image
    while True:
        total, point.grad = objective.evaluate(point)
        if total < least:
            best, least = point.detach().clone(), total
        yield best, objective.latest
        optimizer.step()
        with torch.no_grad():
            point.clamp_(0, 1)
