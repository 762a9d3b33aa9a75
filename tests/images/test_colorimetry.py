"""Code points, primaries and curves, by the numbers of the standards."""

import numpy as np
import pytest

from adain.images.colorimetry import (
    Encoding,
    decoded_srgb,
    encoded_srgb,
    from_code_points,
    to_linear_srgb,
)


def test_matrices_of_the_standards():
    p3 = [[1.2249, -0.2247, 0], [-0.0420, 1.0419, 0], [-0.0197, -0.0786, 1.0979]]
    bt2020 = [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
    for point, matrix in ((12, p3), (9, bt2020), (1, np.eye(3))):
        found = to_linear_srgb(from_code_points(point, 13).primaries)
        np.testing.assert_allclose(found, matrix, atol=6e-4)


@pytest.mark.parametrize("primaries", [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 22, 200])
@pytest.mark.parametrize("transfer", [0, 1, 2, 4, 5, 8, 13, 16, 17, 18, 200])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_every_code_point_gives_gray_for_gray(primaries, transfer, dtype):
    full = 1 if dtype == np.float32 else np.iinfo(dtype).max
    ramp = (np.linspace(0, 1, 40)[None, :, None].repeat(3, axis=2) * full).astype(dtype)
    rgb = from_code_points(primaries, transfer).to_srgb(ramp)
    assert rgb.dtype == np.float32 and rgb.min() >= 0 and rgb.max() <= 1
    assert (np.diff(rgb[0, :, 0]) >= -1e-3).all() and rgb[0, 0].max() < 0.01
    np.testing.assert_allclose(rgb.max(axis=2), rgb.min(axis=2), atol=4e-3)
    if transfer not in (16, 18):
        np.testing.assert_allclose(rgb[0, -1], 1, atol=2e-3)


def test_unspecified_is_srgb_and_exact():
    samples = np.random.default_rng(0).integers(0, 256, (9, 9, 3), np.uint8)
    for point in ((1, 13), (2, 2), (1, 1), (5 + 195, 6)):
        encoding = from_code_points(*point)
        assert encoding.is_srgb
        assert (encoding.to_srgb(samples) == (samples / 255).astype(np.float32)).all()


def test_the_table_for_large_pictures_is_the_formula():
    samples = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    for encoding in (from_code_points(9, 16), from_code_points(12, 13), Encoding(transfer=1.8)):
        small = [encoding.to_srgb(row[None]) for row in samples]
        if encoding.transfer != "pq":  # by the peak of the picture
            whole = encoding.to_srgb(samples)
            np.testing.assert_allclose(whole, np.concatenate(small), atol=1e-5)


def test_curves_of_srgb_are_inverse():
    values = np.linspace(0, 1, 1000, dtype=np.float32)
    np.testing.assert_allclose(encoded_srgb(decoded_srgb(values)), values, atol=1e-5)


@pytest.mark.parametrize("points", [(0,) * 8, (0.3, 0.3) * 4, (0.6, 0.3, 0.6, 0.3, 0.1, 0.1, 0, 0)])
def test_impossible_primaries_and_curves(points):
    with pytest.raises((ValueError, np.linalg.LinAlgError)):
        Encoding(points)
    for exponent in (0.0, 100.0, float("nan")):
        with pytest.raises(ValueError, match="exponent"):
            Encoding(transfer=exponent)
