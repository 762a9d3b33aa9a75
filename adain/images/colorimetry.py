"""Colours that a file tells otherwise than by an ICC profile: gamma, primaries, code points.

The code points are those of ITU-T H.273 (CICP), which PNG's cICP and the nclx of AVIF and HEIF
hold. Conversion is relative colorimetric with Bradford's adaptation of white, as with ICC profiles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from adain.images.picture import FloatArray, to_unit
from adain.images.tone_mapping import hlg_to_light, pq_to_light, to_sdr

Doubles = npt.NDArray[np.float64]

_BAND = 1 << 18  # pixels at a time: temporary arrays stay small
_D65 = (0.3127, 0.3290)
_C = (0.310, 0.316)
# x and y of red, green, blue and white, by H.273's number.
_PRIMARIES: dict[int, tuple[float, ...]] = {
    1: (0.640, 0.330, 0.300, 0.600, 0.150, 0.060, *_D65),
    4: (0.67, 0.33, 0.21, 0.71, 0.14, 0.08, *_C),
    5: (0.64, 0.33, 0.29, 0.60, 0.15, 0.06, *_D65),
    6: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    7: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    8: (0.681, 0.319, 0.243, 0.692, 0.145, 0.049, *_C),
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65),
    10: (1, 0, 0, 1, 0, 0, 1 / 3, 1 / 3),
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65),
    22: (0.630, 0.340, 0.295, 0.605, 0.155, 0.077, *_D65),
}
SRGB_PRIMARIES = _PRIMARIES[1]
# The camera curves of video (BT.709 and its like) are not here: viewers show them as sRGB.
_CURVES: dict[int, str | float] = {4: 2.2, 5: 2.8, 8: 1.0, 16: "pq", 17: 2.6, 18: "hlg"}
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


@dataclass(frozen=True)
class Encoding:
    """How the samples of an image stand for light.

    primaries: x and y of red, green, blue and white.
    transfer: "srgb", "pq", "hlg", or the exponent of a power law, as in light = sample ** 2.2.
    full_range: whether black and white are the least and greatest sample, and not video's 16 and
    235 of 255.
    """

    primaries: tuple[float, ...] = SRGB_PRIMARIES
    transfer: str | float = "srgb"
    full_range: bool = True

    def __post_init__(self) -> None:
        """Raises ValueError for primaries that span no colours and exponents that are none."""
        if not 0.1 <= (self.transfer if isinstance(self.transfer, float) else 1) <= 10:
            raise ValueError(f"an exponent of {self.transfer}")
        condition = np.linalg.cond(_to_xyz(self.primaries))
        if not condition < 1e4:
            raise ValueError(f"primaries {self.primaries}")

    @property
    def is_srgb(self) -> bool:
        """Whether samples are what they are in sRGB, to the precision that files state it in."""
        near = np.allclose(self.primaries, SRGB_PRIMARIES, atol=1e-3)
        return near and self.transfer == "srgb" and self.full_range

    def to_srgb(self, samples: npt.NDArray[Any], peak: float | None = None) -> FloatArray:
        """uint8, uint16 or float32 [H, W, 3] to float32 sRGB in [0, 1]; light outside is clipped.

        PQ and HLG are tone-mapped: see `tone_mapping`. ``peak`` is the greatest light, that of the
        picture by default; the frames of a video share one, else their brightness would breathe.
        """
        if self.is_srgb:
            return to_unit(samples)
        matrix = to_linear_srgb(self.primaries).astype(np.float32)
        table = None
        if samples.dtype.kind == "u" and samples.size > 1 << 16:
            levels = np.arange(np.iinfo(samples.dtype).max + 1, dtype=samples.dtype)
            table = self._light(to_unit(levels))
        if peak is None:
            peak = float(self._light(to_unit(samples.max().reshape(1)))[0])
        result = np.empty(samples.shape, np.float32)
        for rows in bands(samples):
            part = samples[rows]
            light = self._light(to_unit(part)) if table is None else table[part]
            if self.transfer in ("pq", "hlg"):
                light = to_sdr(light, peak, scene=self.transfer == "hlg")
            result[rows] = encoded_srgb(light @ matrix.T)
        return result

    def _light(self, unit: FloatArray) -> FloatArray:
        if not self.full_range:
            unit = np.clip((unit * 255 - 16) / 219, 0, 1, dtype=np.float32)
        if self.transfer == "pq":
            return pq_to_light(unit)
        if self.transfer == "hlg":
            return hlg_to_light(unit)
        if isinstance(self.transfer, float):
            return np.power(unit, np.float32(self.transfer))
        return decoded_srgb(unit)


def from_code_points(primaries: int, transfer: int, *, full_range: bool = True) -> Encoding:
    """The encoding of H.273's numbers; what is unspecified or unknown counts as sRGB's."""
    curve = _CURVES.get(transfer, "srgb")
    return Encoding(_PRIMARIES.get(primaries, SRGB_PRIMARIES), curve, full_range)


def bands(samples: npt.NDArray[Any]) -> Iterator[slice]:
    """Slices of rows, each of some hundred thousand pixels."""
    height, width = samples.shape[:2]
    step = max(1, _BAND // width)
    return (slice(row, row + step) for row in range(0, height, step))


def decoded_srgb(unit: FloatArray) -> FloatArray:
    """Samples of sRGB as linear light."""
    curve = np.power((unit + np.float32(0.055)) / np.float32(1.055), np.float32(2.4))
    return np.where(unit <= 0.04045, unit / np.float32(12.92), curve)


def encoded_srgb(light: FloatArray) -> FloatArray:
    """Linear light as samples of sRGB, clipped to [0, 1]."""
    light = np.clip(light, 0, 1)
    curve = np.float32(1.055) * np.power(light, np.float32(1 / 2.4)) - np.float32(0.055)
    return np.where(light <= 0.0031308, light * np.float32(12.92), curve)


def to_linear_srgb(primaries: tuple[float, ...]) -> Doubles:
    """The matrix from linear light of these primaries to that of sRGB."""
    source = _adaptation(primaries[6:], _D65) @ _to_xyz(primaries)
    return np.linalg.inv(_to_xyz(SRGB_PRIMARIES)) @ source


def xyz_d50_to_linear_srgb() -> Doubles:
    """The matrix from the connection space of ICC profiles, XYZ under D50, to linear sRGB."""
    return np.linalg.inv(_to_xyz(SRGB_PRIMARIES)) @ _adaptation((0.3457, 0.3585), _D65)


def _to_xyz(primaries: tuple[float, ...]) -> Doubles:
    columns = np.stack([_xyz(primaries[i : i + 2]) for i in (0, 2, 4)], axis=1)
    if not np.isfinite(columns).all() or abs(np.linalg.det(columns)) < 1e-6:
        raise ValueError(f"primaries {primaries}")
    matrix: Doubles = columns * np.linalg.solve(columns, _xyz(primaries[6:]))
    return matrix


def _xyz(point: tuple[float, ...]) -> Doubles:
    x, y = point
    with np.errstate(divide="ignore", invalid="ignore"):
        # Coordinates of 0, as XYZ's own primaries have, keep their sum.
        return np.array([x, y, 1 - x - y]) / (y or 1)


def _adaptation(source: tuple[float, ...], target: tuple[float, ...]) -> Doubles:
    before, after = (_BRADFORD @ _xyz(point) for point in (source, target))
    matrix: Doubles = np.linalg.inv(_BRADFORD) @ np.diag(after / before) @ _BRADFORD
    return matrix
