"""PIL images of any mode, with or without an ICC profile, to sRGB and an alpha channel."""

from __future__ import annotations

import io
from contextlib import suppress

import numpy as np
from PIL import Image, ImageCms

from adain.errors import found_error
from adain.images.picture import FloatArray, Picture, from_array, to_unit


def from_pil(image: Image.Image, name: str) -> Picture:
    """A loaded, upright PIL image of any mode; ``name`` is for errors."""
    profile = image.info.get("icc_profile")
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        samples = np.asarray(image)
        if image.mode == "I":
            low, high = samples.min(), samples.max()
            if low < 0 or high > 65535:
                raise found_error(name, f"mode I samples in {low}..{high}", "0..65535")
            samples = samples.astype(np.uint16)
        gray = from_array(samples, f"{name} (mode {image.mode})")
        key = image.info.get("transparency")
        alpha = (samples != key).astype(np.float32) if isinstance(key, int) else None
        return Picture(_gray_to_srgb(gray.rgb, profile), alpha)
    colour, opacity = _split_alpha(image)
    picture = from_array(np.asarray(_to_srgb(colour, profile)), name)
    return picture if opacity is None else Picture(picture.rgb, to_unit(np.asarray(opacity)))


def _split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """The colours in mode L, RGB, CMYK or LAB, and alpha in mode L."""
    alpha = image.has_transparency_data
    if image.mode in ("1", "L", "LA", "La"):
        mode = "LA" if alpha else "L"
    elif image.mode in ("P", "PA", "RGB", "RGBA", "RGBa"):
        mode = "RGBA" if alpha else "RGB"
    else:
        mode = image.mode if image.mode in ("CMYK", "LAB") else "RGB"
    if image.mode == "P":
        image = image.copy()  # converting writes the transparency into the palette, in place
    if image.mode != mode:
        image = image.convert(mode)
    if mode not in ("LA", "RGBA"):
        return image, None
    return image.convert(mode[:-1]), image.getchannel("A")


def _to_srgb(colour: Image.Image, profile: object) -> Image.Image:
    """The colours in sRGB, mode RGB; or mode L where no profile turns gray into anything else."""
    with suppress(ImageCms.PyCMSError, OSError):
        if isinstance(profile, bytes) and profile:
            return _apply_profile(colour, profile)
    return colour if colour.mode in ("L", "RGB") else colour.convert("RGB")


def _apply_profile(colour: Image.Image, profile: bytes) -> Image.Image:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    if colour.mode == "L" and source.profile.xcolor_space.strip() == "RGB":
        colour = colour.convert("RGB")
    # Raises for a profile of another colour space than the image's.
    transform = ImageCms.buildTransform(
        source,
        ImageCms.createProfile("sRGB"),
        colour.mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    if colour.mode == "RGB":
        # Most profiles are sRGB. Such images keep their exact values, and skip the costly part.
        steps = np.arange(0, 256, 15, dtype=np.uint8)
        probe = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
        change = np.asarray(transform.apply(Image.fromarray(probe))).astype(int) - probe
        if np.abs(change).max() <= 1:
            return colour
    return transform.apply(colour)


def _gray_to_srgb(rgb: FloatArray, profile: object) -> FloatArray:
    """Gray of more than 8 bits through a profile, by interpolation between its 256 levels."""
    ramp = _to_srgb(Image.fromarray(np.arange(256, dtype=np.uint8)[None]), profile)
    if ramp.mode == "L":
        return rgb
    curves = np.asarray(ramp)[0] / 255
    levels = np.linspace(0, 1, 256)
    for channel in range(3):
        rgb[..., channel] = np.interp(rgb[..., channel], levels, curves[:, channel])
    return rgb
