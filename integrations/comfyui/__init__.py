"""ComfyUI nodes: styles of images, files and the gallery; mixtures; images in a style.

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
import math
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
COLOURS = {"the style's": "style", "the photo's": "luminance"}

_DEVICE = (
    ["auto", *BACKENDS],
    {"tooltip": "auto: CUDA where it runs, else the CPU. Others need their own ONNX Runtime."},
)


@cache
def opened(model: str, device: str) -> Any:
    """A model on a device, opened once for all nodes."""
    from adain import Stylizer

    return Stylizer(model, device)


def _model() -> tuple[Any, ...]:
    tip = "A style is used with its own model, and mixed with styles of the same one."
    return weights.available_models(), {"tooltip": tip}


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
    """A path that is relative begins in ComfyUI's input folder, or where `` [output]`` is behind
    it in the output folder, as those of its Load Image do."""
    try:
        from folder_paths import get_annotated_filepath
    except ImportError:
        return Path(path)
    return Path(get_annotated_filepath(path))


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

    DESCRIPTION = __doc__
    CATEGORY, FUNCTION = CATEGORY, "encode"
    RETURN_TYPES, RETURN_NAMES = (STYLE,), ("style",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802, by which ComfyUI calls it
        side = {"default": STYLE_SIDE, "min": 32, "max": 4096}
        tip = "The long side that the style is brought down to: the smaller, the finer the strokes."
        return {
            "required": {
                "image": ("IMAGE",),
                "model": _model(),
                "style_size": ("INT", side | {"tooltip": tip}),
                "device": _DEVICE,
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

    DESCRIPTION = __doc__
    CATEGORY, FUNCTION = CATEGORY, "encode"
    RETURN_TYPES, RETURN_NAMES = (STYLE,), ("style",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802
        name = list(catalog.STYLES), {"tooltip": "Drawings that come with adain."}
        return {"required": {"name": name, "model": _model(), "device": _DEVICE}}

    def encode(self, name: str, model: str, device: str) -> tuple[Style]:
        return (opened(model, device).encode_style(catalog.file_of(name)),)


class LoadStyle:
    """A style that was kept in a file: by Save style, or by Style.save in Python."""

    DESCRIPTION = __doc__
    CATEGORY, FUNCTION = CATEGORY, "load"
    RETURN_TYPES, RETURN_NAMES = (STYLE,), ("style",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802
        tip = "In the input folder, with ' [output]' behind it in the output folder, or absolute."
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
    def IS_CHANGED(cls, path: str | None) -> str | float:  # noqa: N802
        """What the file holds: another of the same name is read anew, and so is always one whose
        path another node makes, which is None here."""
        if path is None:
            return math.nan
        return hashlib.sha256(_input_file(path).read_bytes()).hexdigest()

    def load(self, path: str) -> tuple[Style]:
        return (Style.load(_input_file(path)),)


class SaveStyle:
    """Keeps a style in the output folder, as a file of a few KB."""

    DESCRIPTION = __doc__
    CATEGORY, FUNCTION = CATEGORY, "save"
    RETURN_TYPES, RETURN_NAMES = (), ()
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802
        tip = "How the file's name begins, before a number; may begin with a folder's."
        prefix = {"default": "styles/style", "tooltip": tip}
        return {"required": {"style": (STYLE,), "filename_prefix": ("STRING", prefix)}}

    def save(self, style: Style, filename_prefix: str) -> dict[str, Any]:
        from folder_paths import get_output_directory, get_save_image_path

        place = get_save_image_path(filename_prefix, get_output_directory())
        folder, name, number, subfolder, _ = place
        file = f"{name}_{number:05}_.style"
        style.save(Path(folder, file))
        return {"ui": {"styles": [{"filename": file, "subfolder": subfolder, "type": "output"}]}}


class MixStyles:
    """A mixture of two styles of one model (AdaIN eq. 15); mixtures can be mixed again."""

    DESCRIPTION = __doc__
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

    DESCRIPTION = __doc__
    CATEGORY, FUNCTION = CATEGORY, "stylize"
    RETURN_TYPES, RETURN_NAMES = ("IMAGE",), ("image",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802
        strength: dict[str, Any] = {"default": 1.0, "min": 0.0, "max": 1.0, "step": 0.01}
        strength["tooltip"] = "0 is the image as it was, 1 the style in full."
        mask = (
            "Where it is 0 the image stays as it is. Of any size; one for all, or for each image."
        )
        return {
            "required": {
                "image": ("IMAGE",),
                "style": (STYLE,),
                "strength": ("FLOAT", strength),
                "colours": (list(COLOURS), {"tooltip": "Whose colours the result has."}),
                "device": _DEVICE,
            },
            "optional": {"mask": ("MASK", {"tooltip": mask})},
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
    "AdaINSaveStyle": SaveStyle,
    "AdaINMixStyles": MixStyles,
    "AdaINStylize": Stylize,
}
NODE_DISPLAY_NAME_MAPPINGS = {
    "AdaINStyleFromImage": "Style from image (AdaIN)",
    "AdaINGalleryStyle": "Style from the gallery (AdaIN)",
    "AdaINLoadStyle": "Load style (AdaIN)",
    "AdaINSaveStyle": "Save style (AdaIN)",
    "AdaINMixStyles": "Mix styles (AdaIN)",
    "AdaINStylize": "Stylize (AdaIN)",
}
