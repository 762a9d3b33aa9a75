"""ComfyUI nodes: a style from an image, a file or the gallery; mixtures; images in a style.

Put this folder into ComfyUI's ``custom_nodes`` and install ``adain`` beside it, with the ONNX
Runtime that fits the machine: ``pip install 'adain[cpu]'`` or ``'adain[gpu]'``. No version of it is
asked for here, since other nodes want theirs.

A style is an `adain.Style`, which knows its model. IMAGE is float32 ``[B, H, W, 3]`` in [0, 1],
MASK ``[B, H, W]`` or ``[H, W]``; nothing is rounded to 8 bits on the way.

ComfyUI's own modules are imported where they are used: outside ComfyUI, as in the tests of this
folder alone, there are none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from adain import Style, weights
from adain.backends import BACKENDS
from adain.drawings import catalog
from adain.errors import AdaINError, found_error
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


def _pictures(images: torch.Tensor) -> Iterator[Picture]:
    """The pictures of a batch, each copied when it is asked for: a batch may be a whole video.

    The alpha channel of an RGBA one is left out, as ComfyUI does.
    """
    for number, image in enumerate(images, 1):
        levels = image[..., :3].detach().cpu().float().clamp(0, 1).contiguous()
        if levels.isnan().any():
            name = "image" if len(images) == 1 else f"image {number} of {len(images)}"
            raise found_error(name, "NaN, as of a VAE that overflows", "numbers in [0, 1]")
        yield Picture(levels.numpy())


def _check_images(images: torch.Tensor) -> None:
    if images.ndim != 4 or images.shape[-1] not in (3, 4) or not images.numel():
        allowed = "[B, H, W, 3] of at least one pixel"
        raise found_error("image", f"a tensor {list(images.shape)}", allowed)


def _masks(mask: torch.Tensor | None, count: int) -> list[np.ndarray | None]:
    if mask is None:
        return [None] * count
    given = mask.detach().cpu().float().clamp(0, 1).numpy()
    given = given[None] if given.ndim == 2 else given
    if given.ndim != 3 or len(given) not in (1, count):
        allowed = f"[H, W], [1, H, W] or [{count}, H, W]" if count > 1 else "[H, W] or [1, H, W]"
        raise found_error("mask", str(list(mask.shape)), allowed)
    return [given[min(number, len(given) - 1)] for number in range(count)]


def _input_file(path: str) -> Path:
    """A path that is relative begins in ComfyUI's input folder, as those of its Load Image do."""
    try:
        from folder_paths import get_input_directory
    except ImportError:
        return Path(path)
    return Path(get_input_directory(), path)


def _progress(steps: int) -> Callable[[], None]:
    """A progress bar on the node: each call is a step, and raises where the run was cancelled."""
    try:
        from comfy.utils import ProgressBar
    except ImportError:
        return lambda: None
    bar = ProgressBar(steps)
    return lambda: bar.update(1)


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
        _check_images(image)
        stylizer = opened(model, device)
        step, styles = _progress(len(image)), []
        for each in _pictures(image):
            styles.append(stylizer.encode_style(each, max_side=style_size))
            step()
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
    """A style that was kept in a ``.style`` file, in ComfyUI's input folder or anywhere."""

    CATEGORY, FUNCTION = CATEGORY, "load"
    RETURN_TYPES, RETURN_NAMES = (STYLE,), ("style",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802
        tip = "In the input folder, or an absolute path."
        return {"required": {"path": ("STRING", {"default": "wave.style", "tooltip": tip})}}

    @classmethod
    def VALIDATE_INPUTS(cls, path: str | None) -> bool | str:  # noqa: N802
        """True, or what is wrong, which ComfyUI says before anything of the workflow runs.

        A path that another node makes is None here.
        """
        try:
            if path is not None:
                Style.load(_input_file(path))
        except AdaINError as error:
            return str(error)
        return True

    @classmethod
    def IS_CHANGED(cls, path: str) -> str:  # noqa: N802
        """What the file holds: another of the same name is read anew."""
        return hashlib.sha256(_input_file(path).read_bytes()).hexdigest()

    def load(self, path: str) -> tuple[Style]:
        return (Style.load(_input_file(path)),)


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
        _check_images(image)
        masks = _masks(mask, len(image))
        stylizer = opened(style.model, device)
        step, made = _progress(len(image)), torch.empty(*image.shape[:3], 3)
        for number, picture in enumerate(_pictures(image)):
            where = masks[number]
            alpha: Any = strength if where is None else strength * where
            found = stylizer.stylize(picture, style, alpha, colours=COLOURS[colours])
            made[number] = torch.from_numpy(found.rgb)
            step()
        return (made,)


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
