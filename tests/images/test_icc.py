"""ICC profiles beyond 8 bits."""

import struct

import numpy as np
import pytest
from PIL import Image
from sample_images import colorant, icc, linear_rgb, rgb_profile, srgb, swapped

from adain.images.icc import to_srgb, unit_to_srgb


def parametric(kind: int, *numbers: float) -> bytes:
    fixed = struct.pack(f">{len(numbers)}i", *(round(65536 * n) for n in numbers))
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + fixed


CURVES = {
    "linear": b"curv" + bytes(8),
    "gamma": b"curv\0\0\0\0\0\0\0\1" + struct.pack(">H", 461),
    "table": b"curv\0\0\0\0" + struct.pack(">I40H", 40, *np.arange(40) ** 2 * 43),
    "para 0": parametric(0, 1.8),
    "para 1": parametric(1, 2, 1.1, -0.1),
    "para 2": parametric(2, 2, 1.1, -0.1, 0),
    "para 3": parametric(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
    "para 4": parametric(4, 2.2, 0.9, 0.1, 0.3, 0.05, 0, 0),
}


@pytest.mark.parametrize("curve", CURVES.values(), ids=CURVES)
def test_as_littlecms_at_the_levels_of_8_bits(curve):
    profile = rgb_profile(curve)
    levels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    expected = np.asarray(to_srgb(Image.fromarray(levels), profile)) / 255
    found = unit_to_srgb((levels / 255).astype(np.float32), profile)
    np.testing.assert_allclose(found, expected, atol=1.6 / 255)


def test_gray_in_profiles_of_gray_and_of_rgb():
    white = b"XYZ \0\0\0\0" + struct.pack(">III", 0xF6D6, 0x10000, 0xD32D)
    gray = icc(b"GRAY", b"XYZ ", {b"wtpt": white, b"kTRC": b"curv" + bytes(8)})
    unit = np.linspace(0, 0.01, 50, dtype=np.float32)[None, :, None]
    expected = np.where(unit <= 0.0031308, 12.92 * unit, 1.055 * unit ** (1 / 2.4) - 0.055)
    for profile in (gray, linear_rgb()):
        found = unit_to_srgb(unit, profile)
        np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), atol=2e-3)


def test_profiles_that_do_not_count():
    unit = np.random.default_rng(0).random((8, 8, 3), np.float32)
    for profile in (None, b"", b"broken", srgb(), srgb()[:300]):
        assert unit_to_srgb(unit, profile) is unit
    damaged = bytearray(linear_rgb())
    damaged[128:132] = b"\xff\xff\xff\xff"
    assert unit_to_srgb(unit, bytes(damaged)) is unit
    assert colorant(b"rXYZ").start > 128
    np.testing.assert_allclose(unit_to_srgb(unit, swapped()), unit[..., [1, 0, 2]], atol=2 / 255)
