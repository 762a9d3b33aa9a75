"""Pictures of high dynamic range (PQ and HLG, ITU-R BT.2100) brought to an ordinary display.

Diffuse white is 203 cd/m2 (BT.2408) and becomes the display's white where nothing is brighter. Else
the brightest channel of each pixel goes through the EETF of BT.2390 (section 5.4.1), a spline that
leaves the shadows as they are and rolls the highlights off, from the picture's own peak to 203
cd/m2; the others keep their ratio to it, and so the colour its hue.
"""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

WHITE = 203.0  # cd/m2
_HLG_PEAK = 1000.0  # cd/m2, of the display that HLG's system gamma of 1.2 is for
_LUMA_2020 = np.array([0.2627, 0.6780, 0.0593], np.float32)
_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32


def pq_to_light(signal: FloatArray) -> FloatArray:
    """The EOTF of PQ: 0 to 1 as cd/m2."""
    root = np.power(signal, 1 / _M2)
    light = 10_000 * np.power(np.maximum(root - _C1, 0) / (_C2 - _C3 * root), 1 / _M1)
    return light.astype(np.float32)


def light_to_pq(light: FloatArray) -> FloatArray:
    """cd/m2 as PQ, 0 to 1."""
    power = np.power(np.maximum(light, 0) / 10_000, _M1)
    return np.power((_C1 + _C2 * power) / (1 + _C3 * power), _M2).astype(np.float32)


def hlg_to_light(signal: FloatArray) -> FloatArray:
    """The inverse OETF of HLG: 0 to 1 as light of the scene, 0 to 1."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    bright = (np.exp((signal - c) / a) + b) / 12
    return np.where(signal <= 0.5, signal * signal / 3, bright).astype(np.float32)


def to_sdr(light: FloatArray, peak: float, *, scene: bool) -> FloatArray:
    """[..., 3] linear light as parts of an ordinary display's white, mostly at most 1.

    light: cd/m2, or with ``scene`` HLG's light of the scene. peak: the greatest of the picture.
    """
    if scene:
        luma = light @ _LUMA_2020
        light = light * (_HLG_PEAK * np.power(luma, 0.2))[..., None].astype(np.float32)
        peak = _HLG_PEAK * peak**1.2
    if peak > WHITE:
        brightest = light.max(axis=-1)
        mapped = _eetf(brightest, peak)
        ratio = np.divide(mapped, brightest, out=np.ones_like(mapped), where=brightest > 0)
        light = light * ratio[..., None]
    return light / np.float32(WHITE)


def _eetf(light: FloatArray, peak: float) -> FloatArray:
    top, white = light_to_pq(np.array([peak, WHITE], np.float32)).tolist()
    signal, most = light_to_pq(light) / np.float32(top), white / top
    knee = 1.5 * most - 0.5
    t = np.clip((signal - knee) / (1 - knee), 0, 1)
    rolled = (
        (2 * t**3 - 3 * t**2 + 1) * knee
        + (t**3 - 2 * t**2 + t) * (1 - knee)
        + (3 * t**2 - 2 * t**3) * most
    )
    return pq_to_light((np.where(signal < knee, signal, rolled) * top).astype(np.float32))
