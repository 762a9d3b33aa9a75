"""ICC profiles: Pillow's littleCMS for 8 bits, and for more the profile's curves and matrix.

Pillow hands littleCMS no samples of more than 8 bits. Of linear light these are too few: the
darkest tenth of what is seen would lie in a step or two.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from contextlib import suppress

import numpy as np
from PIL import Image, ImageCms

from adain.images.colorimetry import bands, encoded_srgb, xyz_d50_to_linear_srgb
from adain.images.picture import FloatArray, to_unit

Curve = Callable[[FloatArray], FloatArray]


def to_srgb(colour: Image.Image, profile: object) -> Image.Image:
    """Mode L, RGB, CMYK or LAB as sRGB, mode RGB; or as L where no profile makes gray a colour.

    A profile that is broken or of another colour space is ignored.
    """
    with suppress(ImageCms.PyCMSError, OSError):
        if isinstance(profile, bytes) and profile:
            return _apply(colour, profile)
    return colour if colour.mode in ("L", "RGB") else colour.convert("RGB")


def unit_to_srgb(unit: FloatArray, profile: object) -> FloatArray:
    """float32 [H, W, 1 or 3], gray or RGB in [0, 1], through a profile to sRGB; perhaps in place.

    Profiles of curves and a matrix keep the samples' precision, tables (rare for RGB) are applied
    at 8 bits. One that is broken or of another colour space is ignored.
    """
    if not isinstance(profile, bytes) or not profile:
        return unit
    # An sRGB profile leaves the samples as they are, to the last bit.
    steps = np.linspace(0, 255, 18).astype(np.uint8)
    probe = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    if unit.shape[2] == 1:
        probe = np.arange(256, dtype=np.uint8).reshape(1, -1, 1)
    image = Image.fromarray(probe if unit.shape[2] == 3 else probe[..., 0])
    if np.abs(np.asarray(to_srgb(image, profile).convert("RGB")) - probe.astype(int)).max() <= 1:
        return unit
    try:
        curves, matrix = _curves_and_matrix(profile, unit.shape[2])
    except (struct.error, LookupError, ValueError, ArithmeticError):
        levels = (unit * 255 + np.float32(0.5)).astype(np.uint8)
        image = Image.fromarray(levels if unit.shape[2] == 3 else levels[..., 0])
        return to_unit(np.asarray(to_srgb(image, profile).convert("RGB")))
    result = np.empty((*unit.shape[:2], len(matrix)), np.float32)
    for rows in bands(unit):
        # Gray in a profile of RGB is as much of each.
        planes = [unit[rows, :, min(i, unit.shape[2] - 1)] for i in range(len(curves))]
        light = np.stack([curve(p) for curve, p in zip(curves, planes, strict=True)], axis=-1)
        result[rows] = encoded_srgb(light @ matrix.T)
    return result


def _apply(colour: Image.Image, profile: bytes) -> Image.Image:
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


def _curves_and_matrix(profile: bytes, channels: int) -> tuple[list[Curve], FloatArray]:
    """For each channel the curve to linear light, and the matrix from there to linear sRGB."""
    (count,) = struct.unpack_from(">I", profile, 128)
    if count > 200:
        raise ValueError("too many tags")
    tags = {}
    for number in range(count):
        name, start, size = struct.unpack_from(">4sII", profile, 132 + 12 * number)
        tags[name] = profile[start : start + size]
    space = profile[16:20]
    if space == b"GRAY" and channels == 1:
        return [_curve(tags[b"kTRC"])], np.ones((1, 1), np.float32)
    if space != b"RGB " or b"A2B0" in tags:
        raise LookupError("tables, or another colour space")
    curves = [_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")]
    columns = [struct.unpack_from(">3i", tags[name], 8) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
    matrix = xyz_d50_to_linear_srgb() @ (np.array(columns).T / 65536)
    return curves, matrix.astype(np.float32)


def _curve(tag: bytes) -> Curve:
    kind = tag[:4]
    if kind == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count == 0:
            return lambda unit: unit
        values = np.frombuffer(tag, ">u2", count, 12)
        if count == 1:
            exponent = np.float32(values[0] / 256)
            return lambda unit: np.power(unit, exponent)
        table = values / 65535
        places = np.linspace(0, 1, count)
        return lambda unit: np.interp(unit, places, table).astype(np.float32)
    if kind != b"para":
        raise ValueError("an unknown kind of curve")
    (function,) = struct.unpack_from(">H", tag, 8)
    count = (1, 3, 4, 5, 7)[function]
    numbers = [n / 65536 for n in struct.unpack_from(f">{count}i", tag, 12)]
    g, a, b, c, d, e, f = numbers + [0.0] * (7 - count)
    # The five kinds as the last one: (a x + b) ** g + e from d on, and c x + f below.
    if function == 0:
        a, d = 1.0, -1.0
    elif function in (1, 2):
        c, d, e, f = 0.0, -b / a, c, c

    def parametric(unit: FloatArray) -> FloatArray:
        power = np.power(np.maximum(a * unit + b, 0), g) + e
        return np.asarray(np.where(unit >= d, power, c * unit + f), np.float32)

    return parametric
