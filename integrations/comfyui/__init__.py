"""ComfyUI nodes: a style from an image, a file or the gallery; mixtures; images in a style.

Put this folder into ComfyUI's ``custom_nodes`` and install ``adain`` beside it, with the ONNX
Runtime that fits the machine: ``pip install 'adain[cpu]'`` or ``'adain[gpu]'``. No version of it is
asked for here, since other nodes want theirs.

A style is an `adain.Style`, which knows its model. IMAGE is float32 ``[B, H, W, 3]`` in [0, 1],
MASK ``[B, H, W]`` or ``[H, W]``; nothing is rounded to 8 bits on the way.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from adain import Style, weights
from adain.backends import BACKENDS
from adain.drawings import catalog
from adain.errors import found_error
from adain.images.picture import Picture
from adain.options import STYLE_SIDE

STYLE = "ADAIN_STYLE"
CATEGORY = "image/style transfer"
DEVICES = ["auto", *BACKENDS]
COLOURS = {"the style's": "style", "the photo's": "luminance"}


@cache
def opened(model: str, device: str) -> Any:
    """A model on a device, opened once for all nodes."""
    from adain import Stylizer

    return Stylizer(model, device)


def _models() -> list[str]:
    return weights.available_models()


def _pictures(images: torch.Tensor) -> list[Picture]:
    """The pictures of a batch; the alpha channel of an RGBA one is left out, as ComfyUI does."""
    if images.ndim != 4 or images.shape[-1] not in (3, 4):
        raise found_error("image", f"a tensor {list(images.shape)}", "[B, H, W, 3]")
    levels = images[..., :3].detach().cpu().float().clamp(0, 1).contiguous().numpy()
    return [Picture(each) for each in levels]


def _masks(mask: torch.Tensor | None, count: int) -> list[np.ndarray | None]:
    if mask is None:
        return [None] * count
    given = mask.detach().cpu().float().clamp(0, 1).numpy()
    given = given[None] if given.ndim == 2 else given
    if given.ndim != 3 or len(given) not in (1, count):
        raise found_error("mask", str(list(mask.shape)), f"[H, W], or 1 or {count} of it")
    return [given[min(number, len(given) - 1)] for number in range(count)]


class StyleFromImage:
    """The style of an image, or of several in equal parts."""

    CATEGORY, FUNCTION = CATEGORY, "encode"
    RETURN_TYPES, RETURN_NAMES = (STYLE,), ("style",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802, by which ComfyUI calls it
        side = {"default": STYLE_SIDE, "min": 32, "max": 4096}
        tip = "The long side that the style is brought down to: the smaller, the finer the strokes."
        return {
            "required": {
                "image": ("IMAGE",),
                "model": (_models(),),
                "style_size": ("INT", side | {"tooltip": tip}),
                "device": (DEVICES,),
            }
        }

    def encode(self, image: torch.Tensor, model: str, style_size: int, device: str) -> tuple[Style]:
        stylizer = opened(model, device)
        styles = [stylizer.encode_style(each, max_side=style_size) for each in _pictures(image)]
        first, *others = ((1 / len(styles)) * style for style in styles)
        return (sum(others, first),)


class GalleryStyle:
    """One of the styles that come with adain."""

    CATEGORY, FUNCTION = CATEGORY, "encode"
    RETURN_TYPES, RETURN_NAMES = (STYLE,), ("style",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802
        names = list(catalog.STYLES)
        return {"required": {"name": (names,), "model": (_models(),), "device": (DEVICES,)}}

    def encode(self, name: str, model: str, device: str) -> tuple[Style]:
        return (opened(model, device).encode_style(catalog.file_of(name)),)


class LoadStyle:
    """A style that was kept in a ``.style`` file."""

    CATEGORY, FUNCTION = CATEGORY, "load"
    RETURN_TYPES, RETURN_NAMES = (STYLE,), ("style",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802
        return {"required": {"path": ("STRING", {"default": "wave.style"})}}

    @classmethod
    def IS_CHANGED(cls, path: str) -> float:  # noqa: N802
        return os.stat(path).st_mtime if Path(path).is_file() else 0.0

    def load(self, path: str) -> tuple[Style]:
        return (Style.load(path),)


class MixStyles:
    """A mixture of two styles of one model (AdaIN eq. 15); mixtures can be mixed again."""

    CATEGORY, FUNCTION = CATEGORY, "mix"
    RETURN_TYPES, RETURN_NAMES = (STYLE,), ("style",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802
        share = {"default": 0.5, "min": 0.0, "max": 1.0, "step": 0.01}
        tip = "0 is the first alone, 1 the second."
        return {
            "required": {
                "first": (STYLE,),
                "second": (STYLE,),
                "share": ("FLOAT", share | {"tooltip": tip}),
            }
        }

    def mix(self, first: Style, second: Style, share: float) -> tuple[Style]:
        return ((1 - share) * first + share * second,)


class Stylize:
    """Images in a style, each as large as it was."""

    CATEGORY, FUNCTION = CATEGORY, "stylize"
    RETURN_TYPES, RETURN_NAMES = ("IMAGE",), ("image",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802
        return {
            "required": {
                "image": ("IMAGE",),
                "style": (STYLE,),
                "strength": ("FLOAT", {"default": 1.0, "min": 0.0, "max": 1.0, "step": 0.01}),
                "colours": (list(COLOURS),),
                "device": (DEVICES,),
            },
            "optional": {"mask": ("MASK", {"tooltip": "Where it is 0 the image stays as it is."})},
        }

    def stylize(
        self,
        image: torch.Tensor,
        style: Style,
        strength: float,
        colours: str,
        device: str,
        mask: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor]:
        stylizer = opened(style.model, device)
        pictures = _pictures(image)
        made = []
        for picture, where in zip(pictures, _masks(mask, len(pictures)), strict=True):
            alpha: Any = strength if where is None else strength * where
            made.append(stylizer.stylize(picture, style, alpha, colours=COLOURS[colours]).rgb)
        return (torch.from_numpy(np.stack(made)),)


NODE_CLASS_MAPPINGS = {
    "AdaINStyleFromImage": StyleFromImage,
    "AdaINGalleryStyle": GalleryStyle,
    "AdaINLoadStyle": LoadStyle,
    "AdaINMixStyles": MixStyles,
    "AdaINStylize": Stylize,
}
NODE_DISPLAY_NAME_MAPPINGS = {
    "AdaINStyleFromImage": "Style from image (AdaIN)",
    "AdaINGalleryStyle": "Style from the gallery (AdaIN)",
    "AdaINLoadStyle": "Load style (AdaIN)",
    "AdaINMixStyles": "Mix styles (AdaIN)",
    "AdaINStylize": "Stylize (AdaIN)",
}
