"""Inputs of an optimisation: pyramid of sizes, colours, masks and the first image."""

from collections.abc import Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from adain.colours import fitted, luminance
from adain.errors import found_error
from adain.images.picture import Picture
from adain.learning.gatys.options import GatysOptions
from adain.learning.models.vgg_layers import SMALLEST_VGG19_SIDE
from adain.learning.tensors import to_tensor
from adain.maps import load_map, load_masks, shares
from adain.options import STYLE_SIDE
from adain.stylizer import Stylizer

# Strokes are as large as VGG-19 sees, some hundred pixels: a larger picture starts smaller.
COARSEST_SIDE = 384


def check_inputs(
    content: Picture,
    styles: Sequence[Picture],
    options: GatysOptions,
    masks: Sequence[Picture] | None,
) -> None:
    if not styles:
        raise found_error("styles", "none", "one picture or more")
    shares(options.style_shares, len(styles))
    load_masks(masks, len(styles))
    for name, picture in [("content", content), *(("style", style) for style in styles)]:
        if min(picture.width, picture.height) < SMALLEST_VGG19_SIDE:
            found = f"{picture.width} x {picture.height} pixels"
            raise found_error(name, found, f"sides of {SMALLEST_VGG19_SIDE} pixels and more")


def sizes(width: int, height: int, options: GatysOptions) -> list[tuple[int, int, int]]:
    """Widths, heights and iterations, coarse to fine; the last size is the picture's own."""
    steps = [(width, height)]
    while options.coarse_to_fine and max(steps[-1]) > 2 * COARSEST_SIDE:
        steps.append((max(1, steps[-1][0] // 2), max(1, steps[-1][1] // 2)))
    return [
        (w, h, max(1, options.iterations // 2**number) if options.iterations else 0)
        for number, (w, h) in enumerate(reversed(steps))
    ]


def resize(image: Tensor, height: int, width: int) -> Tensor:
    if image.shape[2:] == (height, width):
        return image
    return F.interpolate(image, (height, width), mode="bicubic", antialias=True).clamp(0, 1)


def style_side(width: int, height: int, options: GatysOptions) -> int:
    """The long side of the styles beside a content of this size."""
    return round(max(width, height) * options.style_scale)


def to_side(picture: Picture, side: int) -> Picture:
    """A picture with a long side of ``side`` pixels, and a short one that VGG-19 can see."""
    return picture.resized(*size_at(picture, side))


def size_at(picture: Picture, side: int) -> tuple[int, int]:
    """The width and height that `to_side` gives."""
    long, short = sorted((picture.width, picture.height), reverse=True)
    scale = max(side / long, SMALLEST_VGG19_SIDE / short)
    return round(picture.width * scale), round(picture.height * scale)


def guide(mask: Picture, width: int, height: int) -> Tensor:
    """Where a style goes, ``[1, 1, height, width]`` in [0, 1], of a mask of any size."""
    plane = load_map(mask, "mask")[..., None].repeat(3, axis=2)
    # A copy of the one channel, so that the other two are let go of.
    return to_tensor(Picture(plane).resized(width, height))[:, :1].clone()


def coloured(
    content: Picture, styles: Sequence[Picture], options: GatysOptions
) -> tuple[Picture, list[Picture]]:
    """Content and styles as the optimisation is to see them, for colours that are kept."""
    seen = (
        replace(content, rgb=luminance(content.rgb)) if options.colours == "luminance" else content
    )
    return seen, [replace(s, rgb=fitted(s.rgb, content.rgb, options.colours)) for s in styles]


def start(
    content: Picture,
    styles: Sequence[Picture],
    options: GatysOptions,
    masks: Sequence[Picture] | None = None,
) -> Tensor:
    """The first picture, ``[1, 3, H, W]``; ``content`` is of the first size, masks of any."""
    if options.init == "noise":
        generator = torch.Generator().manual_seed(options.seed)
        return torch.rand(1, 3, content.height, content.width, generator=generator)
    if options.init == "content":
        return to_tensor(content)
    stylizer = Stylizer(options.model, options.device)
    vectors = [
        stylizer.encode_style(style, max_side=round(STYLE_SIDE * options.style_scale))
        for style in styles
    ]
    picture = stylizer.stylize(content, vectors, style_weights=options.style_shares, masks=masks)
    return to_tensor(picture)
