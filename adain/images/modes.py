"""PIL images of any mode, and samples that no mode holds, to sRGB and an alpha channel."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from adain.errors import found_error
from adain.images import icc
from adain.images.colorimetry import Encoding, bands, encoded_srgb, xyz_d50_to_linear_srgb
from adain.images.containers.opened import Samples
from adain.images.picture import FloatArray, Picture, check_unit, from_array, to_unit

_WHITE_D50 = np.array([0.9642, 1.0, 0.8249], np.float32)


def from_pil(image: Image.Image, name: str, encoding: Encoding | None = None) -> Picture:
    """A loaded, upright PIL image of any mode; ``name`` is for errors.

    ``encoding`` says what its colours are instead of the image's ICC profile.
    """
    profile = image.info.get("icc_profile") if encoding is None else None
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        samples: npt.NDArray[Any] = np.asarray(image)
        if image.mode == "I":
            low, high = samples.min(), samples.max()
            if low < 0 or high > 65535:
                raise found_error(name, f"mode I samples in {low}..{high}", "0..65535")
            samples = samples.astype(np.uint16)
        key = image.info.get("transparency")
        alpha = (samples != key).astype(np.float32) if isinstance(key, int) else None
        name = f"{name} (mode {image.mode})"
        gray = Samples(samples[..., None], "L", alpha, profile=profile)
        return from_samples(gray, name, encoding)
    colour, opacity = _split_alpha(image)
    alpha = None if opacity is None else to_unit(np.asarray(opacity))
    rgb = icc.to_srgb(colour, profile)
    if encoding is not None:
        return Picture(encoding.to_srgb(np.asarray(rgb.convert("RGB"))), alpha)
    return Picture(from_array(np.asarray(rgb), name).rgb, alpha)


def from_samples(samples: Samples, name: str, encoding: Encoding | None = None) -> Picture:
    """Upright samples as a Picture; ``name`` is for errors.

    Raises AdaINError for floats outside [0, 1], whose white cannot be told.
    """
    colour, alpha = samples.colour, samples.alpha
    if samples.space == "LAB":
        if not np.isfinite(colour).all():
            raise found_error(name, "NaN or infinity in L*a*b*", "finite values")
    elif colour.dtype.kind == "f":
        check_unit(colour, name)
    if alpha is not None:
        if alpha.dtype.kind == "f":
            check_unit(alpha, name)
        alpha = to_unit(alpha)
    if samples.associated and alpha is not None and samples.space != "LAB":
        colour = to_unit(colour)
        np.divide(colour, alpha[..., None], out=colour, where=alpha[..., None] > 0)
        np.minimum(colour, 1, out=colour)
    if samples.space == "LAB":
        rgb = _lab_to_srgb(colour)
    elif samples.space == "CMYK":
        rgb = _cmyk_to_srgb(colour, samples.profile)
    elif encoding is not None:
        rgb = encoding.to_srgb(np.broadcast_to(colour, (*colour.shape[:2], 3)))
    else:
        rgb = icc.unit_to_srgb(to_unit(colour), samples.profile)
    shape = (*rgb.shape[:2], 3)
    return Picture(rgb if rgb.shape == shape else np.broadcast_to(rgb, shape).copy(), alpha)


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


def _cmyk_to_srgb(inks: npt.NDArray[Any], profile: bytes | None) -> FloatArray:
    """As littleCMS converts 8 bits, or as the inks' complements where there is no profile."""
    unit = to_unit(inks)
    plain: FloatArray = (1 - unit[..., :3]) * (1 - unit[..., 3:])
    if not profile:
        return plain
    height, width = inks.shape[:2]
    levels = (unit * 255 + np.float32(0.5)).astype(np.uint8)
    image = Image.frombytes("CMYK", (width, height), levels.tobytes())
    return to_unit(np.asarray(icc.to_srgb(image, profile)))


def _lab_to_srgb(lab: npt.NDArray[np.float32]) -> FloatArray:
    """CIELAB under D50, float32, to sRGB; what sRGB has no colour for is clipped."""
    matrix = xyz_d50_to_linear_srgb().astype(np.float32)
    result = np.empty(lab.shape, np.float32)
    for rows in bands(lab):
        lightness, a, b = (np.clip(lab[rows, :, i], -512, 512) for i in range(3))
        y = (lightness + 16) / 116
        f = np.stack([y + a / 500, y, y - b / 200], axis=-1)
        xyz = np.where(f > 6 / 29, f**3, (f - 4 / 29) * (3 * (6 / 29) ** 2)) * _WHITE_D50
        result[rows] = encoded_srgb(xyz.astype(np.float32) @ matrix.T)
    return result
