"""Where a style goes and how strong it is: masks and painted strengths as the decoder takes them.

AdaIN section 7.3 ("spatial control"), and the same for the strength. A map is float32 ``[h, w]``
in [0, 1]. *Strengths* are float32 ``[S, H, W]``: how strong each of S styles is at each pixel. They
are 0 and more, and their sum, at most 1, is what the content yields there (the alpha of eq. 14).
"""

import math
import os
from collections.abc import Sequence
from typing import Any, TypeGuard, cast

import numpy as np
import numpy.typing as npt
from PIL import Image

from adain.colours import luminance
from adain.errors import AdaINError, failing, found_error
from adain.images import ImageSource, Picture, load_image
from adain.resampling import Box, resampled_part

FloatArray = npt.NDArray[np.float32]


def load_map(source: ImageSource, name: str) -> FloatArray:
    """A picture as a map, float32 ``[h, w]`` in [0, 1]: its luma, times its alpha channel if any.

    ``source`` is whatever ``load_image`` takes: arrays ``[h, w]`` of bool, uint8 in 0..255 or
    floats in [0, 1] among them, whose values are kept. Raises AdaINError, which starts with
    ``name``, for anything else.
    """
    try:
        picture = load_image(source)
    except AdaINError as error:
        raise AdaINError(f"{name}: {error}") from error
    rgb = picture.rgb
    # The weights of luma sum to 1 only up to rounding: gray stays what it is.
    is_gray = bool((rgb == rgb[..., :1]).all())
    luma = rgb[..., 0].copy() if is_gray else luminance(rgb)[..., 0]
    if picture.alpha is not None:
        luma = luma * picture.alpha
    return np.clip(luma, 0, 1)


def is_map(alpha: object) -> bool:
    """Whether a strength is given as a map: a picture, an array, or text, which is a path."""
    pictures = (str, os.PathLike, bytes, bytearray, memoryview, Image.Image, Picture)
    if isinstance(alpha, np.ndarray):
        return alpha.ndim > 0
    return isinstance(alpha, pictures) or hasattr(alpha, "read")


def check_strength(alpha: object) -> float:
    """A strength that is one number in [0, 1], as a float; AdaINError for NaN and all else."""
    allowed = "a number from 0 (the content) to 1 (the style), or a map of such numbers"
    return _checked_share("alpha", alpha, allowed)


def check_smooth(amount: object) -> float:
    """An amount of smoothing in [0, 1], as a float; AdaINError for NaN and all else."""
    return _checked_share("smooth", amount, "a number from 0 (none) to 1")


def _checked_share(name: str, value: object, allowed: str) -> float:
    try:
        share = math.nan if isinstance(value, str | bytes) else float(cast(float, value))
    except (TypeError, ValueError, OverflowError):
        share = math.nan
    if not 0 <= share <= 1:
        raise found_error(name, repr(value), allowed)
    return share


def load_strength(alpha: float | ImageSource) -> float | FloatArray:
    """The strength: a number in [0, 1] as a float, an array ``[h, w]`` or a picture as a map.

    Arrays and pictures are those of ``load_map``. Raises AdaINError for NaN, for what lies outside
    [0, 1], and for arrays of other shapes.
    """
    if not is_map(alpha):
        return check_strength(alpha)
    if isinstance(alpha, np.ndarray) and alpha.ndim != 2:
        found = f"an array {list(alpha.shape)}"
        raise found_error("alpha", found, "a number, an array [h, w] or a picture")
    return load_map(cast(ImageSource, alpha), "alpha")


def check_masks(masks: object) -> None:
    """Raise AdaINError unless these are several sources: a list, or an array of several maps."""
    several = masks.ndim > 2 if isinstance(masks, np.ndarray) else is_several(masks)
    if not several:
        raise found_error("masks", f"a single {type(masks).__name__}", "a list, one for each style")


def load_masks(masks: Sequence[ImageSource] | None, styles: int) -> list[FloatArray] | None:
    """One map for each of so many styles, 1 or white where it goes; None without masks.

    ``masks`` are pictures or arrays as ``load_map`` takes them, each of a size of its own, or an
    array ``[styles, h, w]`` of them. Raises AdaINError for another number of them, and where
    ``load_map`` does.
    """
    if masks is None:
        return None
    check_masks(masks)
    if len(masks) != styles:
        found = f"{len(masks)} for {styles} style" + "s" * (styles != 1)
        raise found_error("masks", found, "one for each style")
    return [load_map(mask, f"mask {number}") for number, mask in enumerate(masks, 1)]


def is_several(value: object) -> TypeGuard[Sequence[Any]]:
    """Whether this is a sequence of sources, such as a list or a tuple, rather than a single one.

    A path, bytes and an array are single ones.
    """
    single = (str, bytes, bytearray, memoryview)
    return isinstance(value, Sequence) and not isinstance(value, single)


def check_shares(weights: Sequence[float]) -> npt.NDArray[np.float64]:
    """Weights of styles as an array; AdaINError unless finite, 0 or more, and not all 0."""
    allowed = "numbers of 0 and more, not all 0"
    try:
        array = np.array([float(weight) for weight in weights])
    except (TypeError, ValueError, OverflowError):
        raise found_error("style weights", repr(weights)[:80], allowed) from None
    # Whether none at all are enough is said by whoever knows how many styles there are.
    if len(array) and not (np.isfinite(array).all() and (array >= 0).all() and array.any()):
        raise found_error("style weights", str(array.tolist())[:80], allowed)
    return array


def shares(style_weights: Sequence[float] | None, styles: int) -> list[float]:
    """Weights of so many styles as shares, which sum to 1; equal ones without weights.

    Raises AdaINError for another number of weights, and where ``check_shares`` does.
    """
    if style_weights is None:
        return [1 / styles] * styles
    weights = check_shares(style_weights)
    if len(weights) != styles:
        found = f"{len(weights)} for {styles} style" + "s" * (styles != 1)
        raise found_error("style weights", found, "one for each style")
    weights /= weights.max()  # their sum may be too large for a float
    share: list[float] = (weights / weights.sum()).tolist()
    return share


def style_strengths(
    strength: float | FloatArray,
    masks: Sequence[FloatArray] | None,
    share: Sequence[float],
    width: int,
    height: int,
    box: Box | None = None,
) -> FloatArray:
    """How strong each style is at each pixel: ``[S, height, width]``, or ``[1, 1, 1]`` for a number
    without masks. Without masks there is one style, S = 1. ``box``: of this part alone.

    ``strength`` is a number or a map, ``masks`` are S maps, ``share`` is one number of 0 and more
    for each style; maps of other sizes are stretched or brought down to this one, bilinearly. Where
    the masks sum to more than 1 they are divided by the sum; where to less, the rest stays content.
    Where several masks meet, the styles mix as their masks times their shares.
    """
    if isinstance(strength, float):
        overall = np.full((1, 1, 1), strength, np.float32)
    else:
        overall = resampled(strength, width, height, box)[None]
    if masks is None:
        return overall
    weights = np.array(share, np.float32) / np.float32(max(share))
    # Hardly more than 0 is 0: a quotient of such numbers is noise, or infinite.
    weights *= weights > 1e-6
    planes = np.stack([resampled(mask, width, height, box) for mask in masks])
    covered = np.minimum(planes[weights > 0].sum(axis=0), 1)
    planes *= weights[:, None, None]
    total = planes.sum(axis=0)
    np.divide(covered, total, out=covered, where=total > 0)
    planes *= covered * overall
    return planes


def decoder_maps(
    strengths: FloatArray,
    vectors: FloatArray,
    feature_stride: int,
    height: int,
    width: int,
    *,
    mapped: tuple[bool, bool, bool] = (False, False, False),
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """What the decoder is told: strength ``[1, 1, H', W']``, style ``[1, K, h, w]`` and alpha
    ``[1, 1, h, w]``, each perhaps 1 x 1.

    ``strengths`` ``[S, H', W']`` are those of the padded content, or ``[S, 1, 1]`` if even;
    ``vectors`` ``[S, K]`` are the styles. The features are ``height`` x ``width``: one for each
    ``feature_stride`` x ``feature_stride`` pixels, and a margin of what is left over on each side.

    Strength is that of each pixel: where it is 0, so are all masks, and the content stays as it is.
    Both what a style scales and what it shifts are linear in its strength (eq. 8 and 14), so a
    feature takes the mean strengths of its pixels, and as its style the mean of the vectors by
    these. The margin repeats the outermost ones. Where all places are alike, 1 x 1 says the same. A
    style map takes 4 K bytes for each feature: 120 bytes a pixel with ``vgg19`` and 352 with
    ``fast``. Raises AdaINError where memory is too small for it.
    """
    strength, parts, alpha = (
        m[:, :1, :1] if not keep and is_even(m) else m
        for m, keep in zip(layers(strengths, feature_stride, height, width), mapped, strict=True)
    )
    size = 4e-9 * vectors.shape[1] * parts[0].size
    with failing(
        "masks", f"a style map of {size:.1f} GB, which does not fit", "a smaller max_side"
    ):
        style = vectors.T @ parts.reshape(len(vectors), -1)
    style = style.reshape(1, -1, *parts.shape[1:])
    return np.ascontiguousarray(strength[None]), style, np.ascontiguousarray(alpha[None])


def layers(
    strengths: FloatArray, feature_stride: int, height: int, width: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The maps that `decoder_maps` takes apart: the strength of each pixel, ``[1, H', W']``, and of
    each feature the shares of the styles, ``[S, h, w]``, and their strength, ``[1, h, w]``."""
    strength = _overall(strengths)
    if strengths.shape[1:] != (1, 1):
        strengths = _at_features(strengths, feature_stride, height, width)
    alpha = _overall(strengths)
    # Where nothing is to be stylized, any style will do.
    parts = np.full_like(strengths, 1 / len(strengths))
    np.divide(strengths, alpha, out=parts, where=alpha > 0)
    return strength, parts, alpha


def _overall(strengths: FloatArray) -> FloatArray:
    """How strong all styles are together, ``[1, h, w]``."""
    overall: FloatArray = np.minimum(strengths.sum(axis=0, keepdims=True), 1)
    return overall


def _at_features(strengths: FloatArray, feature_stride: int, height: int, width: int) -> FloatArray:
    """The means of each feature's pixels, the outermost repeated over the margin."""
    rows, columns = (side // feature_stride for side in strengths.shape[1:])
    areas = strengths.reshape(len(strengths), rows, feature_stride, columns, feature_stride)
    margins = [((size - inner) // 2,) * 2 for size, inner in ((height, rows), (width, columns))]
    return np.pad(areas.mean(axis=(2, 4), dtype=np.float32), ((0, 0), *margins), mode="edge")


def is_even(maps: FloatArray) -> bool:
    """Whether all places of ``[S, h, w]`` have the same values."""
    return bool((maps == maps[:, :1, :1]).all())


def resampled(plane: FloatArray, width: int, height: int, box: Box | None = None) -> FloatArray:
    """A map of another size, or a part of it, stretched or brought down bilinearly."""
    if plane.shape == (height, width):
        return plane if box is None else plane[box.slices]
    if box is not None:
        return np.clip(resampled_part(plane, width, height, box), 0, 1)
    # Not Lanczos, which overshoots: a mask's edge would have dark and bright lines beside it.
    resized = Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR)
    return np.clip(np.asarray(resized, np.float32), 0, 1)
