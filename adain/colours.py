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

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # the Y of YIQ, as NTSC has it
_ROWS = 64
# Added to the covariance: a picture of one colour has none, and could not be matched.
_SMALL = 1e-5


class Moments:
    """Sums over a picture's colours: their mean and covariance, and those of its luma.

    Taken in float64 a few rows at a time, or tile by tile of a picture that memory does not hold.
    """

    def __init__(self, image: FloatArray | None = None) -> None:
        self._count = 0
        self._sums = np.zeros(3)
        self._products = np.zeros((3, 3))
        self._luma = np.zeros(2)
        if image is not None:
            self.add(image)

    def add(self, image: FloatArray) -> None:
        for row in range(0, len(image), _ROWS):
            rows = image[row : row + _ROWS]
            flat, luma = rows.reshape(-1, 3).astype(np.float64), _luma(rows).astype(np.float64)
            self._count += len(flat)
            self._sums += flat.sum(axis=0)
            self._products += flat.T @ flat
            self._luma += luma.sum(), np.square(luma).sum()

    @property
    def colours(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Mean and covariance, the latter of full rank."""
        mean = self._sums / self._count
        covariance = self._products / self._count - np.outer(mean, mean)
        return mean, covariance + _SMALL * np.eye(3)

    @property
    def luma(self) -> tuple[float, float]:
        """Mean and deviation."""
        mean, square = self._luma / self._count
        return float(mean), float(np.sqrt(max(square - mean * mean, 0)))


def match_colours(image: FloatArray, reference: FloatArray | Moments) -> FloatArray:
    """``image`` with the mean and covariance of ``reference``'s colours, clipped to [0, 1].

    Equation 3 of the paper with the symmetric root of "Image Analogies" (Hertzmann et al. 2001):
    x' = C_r^(1/2) C_i^(-1/2) (x - mean_i) + mean_r. Sides may differ.
    """
    mean, covariance = Moments(image).colours
    wanted_mean, wanted = _as_moments(reference).colours
    transform = _root(wanted, 0.5) @ _root(covariance, -0.5)
    return _clipped((image.astype(np.float64) - mean) @ transform.T + wanted_mean)


def fitted(style: FloatArray, content: FloatArray | Moments, colours: Colours) -> FloatArray:
    """A style picture as it is to be encoded for a content, by whose colours are kept."""
    if colours == "matched":
        return match_colours(style, content)
    return match_luminance(style, content) if colours == "luminance" else style


def luminance(image: FloatArray) -> FloatArray:
    """The luma of an image, in all three channels."""
    return np.repeat(_luma(image)[..., None], 3, axis=2)


def match_luminance(image: FloatArray, reference: FloatArray | Moments) -> FloatArray:
    """Luma of ``image``, in three channels, with mean and deviation of ``reference``'s luma.

    Equation 10 of the paper, clipped to [0, 1].
    """
    luma = _luma(image).astype(np.float64)
    wanted_mean, wanted = _as_moments(reference).luma
    scale = wanted / max(luma.std(), np.sqrt(_SMALL))
    matched = (luma - luma.mean()) * scale + wanted_mean
    return np.repeat(_clipped(matched)[..., None], 3, axis=2)


def with_luminance(colours: FloatArray, light: FloatArray) -> FloatArray:
    """The I and Q of ``colours`` under the luma of ``light``, clipped to [0, 1]; equal sides.

    I and Q of gray are 0, so the same change of R, G and B changes the luma alone: ``colours`` stay
    as they are, to the bit, where ``light`` is their `luminance`.
    """
    change = _luma(light - _luma(colours)[..., None])
    result = colours + change[..., None]
    return np.clip(result, 0, 1, out=result)


def _luma(image: FloatArray) -> FloatArray:
    """``[H, W]``."""
    return np.asarray(image @ _LUMA, np.float32)


def _clipped(values: npt.NDArray[np.float64]) -> FloatArray:
    return np.clip(values, 0, 1).astype(np.float32)


def _as_moments(reference: FloatArray | Moments) -> Moments:
    return reference if isinstance(reference, Moments) else Moments(reference)


def _root(matrix: npt.NDArray[np.float64], power: float) -> npt.NDArray[np.float64]:
    """A power of a symmetric positive matrix."""
    values, vectors = np.linalg.eigh(matrix)
    root: npt.NDArray[np.float64] = (vectors * values**power) @ vectors.T
    return root
