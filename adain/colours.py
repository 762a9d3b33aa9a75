"""Keeping the content's colours (Gatys et al. 2016, "Preserving Color in Neural Artistic Style").

Arrays are float32 ``[H, W, 3]``, gamma-encoded sRGB in [0, 1].
"""

from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
# Whose colours a result has: the style's; the style's, fitted to the content's first; the content's
# own, under a new luma.
Colours: TypeAlias = Literal["style", "matched", "luminance"]

# Luma, the Y of YIQ as NTSC has it.
_LUMA = np.array([0.299, 0.587, 0.114])
# Added to the covariance: a picture of one colour has none, and could not be matched.
_SMALL = 1e-5


def match_colours(image: FloatArray, reference: FloatArray) -> FloatArray:
    """``image`` with the mean and covariance of ``reference``'s colours, clipped to [0, 1].

    Equation 3 of the paper with the symmetric root of "Image Analogies" (Hertzmann et al. 2001):
    x' = C_r^(1/2) C_i^(-1/2) (x - mean_i) + mean_r. Sides may differ.
    """
    flat, wanted = (array.reshape(-1, 3).astype(np.float64) for array in (image, reference))
    mean, wanted_mean = flat.mean(axis=0), wanted.mean(axis=0)
    transform = _root(_covariance(wanted), 0.5) @ _root(_covariance(flat), -0.5)
    matched = (flat - mean) @ transform.T + wanted_mean
    return _clipped(matched).reshape(image.shape)


def fitted(style: FloatArray, content: FloatArray, colours: Colours) -> FloatArray:
    """A style picture as it is to be encoded for a content, by whose colours are kept."""
    if colours == "matched":
        return match_colours(style, content)
    return match_luminance(style, content) if colours == "luminance" else style


def luminance(image: FloatArray) -> FloatArray:
    """The luma of an image, in all three channels."""
    luma = image @ _LUMA.astype(np.float32)
    return np.repeat(luma[..., None], 3, axis=2).astype(np.float32)


def match_luminance(image: FloatArray, reference: FloatArray) -> FloatArray:
    """Luma of ``image``, in three channels, with mean and deviation of ``reference``'s luma.

    Equation 10 of the paper, clipped to [0, 1].
    """
    luma, wanted = luminance(image).astype(np.float64), luminance(reference)
    deviation = max(luma.std(), np.sqrt(_SMALL))
    matched = (luma - luma.mean()) * (wanted.std() / deviation) + wanted.mean()
    return _clipped(matched)


def with_luminance(colours: FloatArray, light: FloatArray) -> FloatArray:
    """The I and Q of ``colours`` under the luma of ``light``, clipped to [0, 1]; equal sides.

    In YIQ a change of the luma alone is the same change of red, green and blue. So ``colours`` stay
    as they are, to the bit, where ``light`` is their `luminance`.
    """
    change = (light - luminance(colours)).astype(np.float64) @ _LUMA
    return _clipped(colours + change[..., None])


def _clipped(values: npt.NDArray[np.float64]) -> FloatArray:
    return np.clip(values, 0, 1).astype(np.float32)


def _covariance(flat: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    covariance: npt.NDArray[np.float64] = np.cov(flat, rowvar=False, bias=True)
    return covariance + _SMALL * np.eye(3)


def _root(matrix: npt.NDArray[np.float64], power: float) -> npt.NDArray[np.float64]:
    """A power of a symmetric positive matrix."""
    values, vectors = np.linalg.eigh(matrix)
    root: npt.NDArray[np.float64] = (vectors * values**power) @ vectors.T
    return root
