"""The guided filter against one that is written down place by place, and what it is for."""

import numpy as np
import pytest

from adain.smoothing import RADIUS, REACH, STRONGEST, smoothed


def noise(*shape: int, scale: float = 1.0) -> np.ndarray:
    values = 0.5 + scale * (np.random.default_rng(0).random((*shape, 3)) - 0.5)
    return values.astype(np.float32)


def window_means(values: np.ndarray) -> np.ndarray:
    height, width = values.shape[:2]
    found = np.empty_like(values)
    for row in range(height):
        for column in range(width):
            rows = slice(max(0, row - RADIUS), row + RADIUS + 1)
            columns = slice(max(0, column - RADIUS), column + RADIUS + 1)
            found[row, column] = values[rows, columns].mean(axis=(0, 1))
    return found


@pytest.mark.parametrize("amount", [0.2, 1.0])
def test_it_is_the_guided_filter_of_the_paper(amount: float) -> None:
    picture = noise(47, 40, scale=0.3).astype(np.float64)
    picture[:, 20:] *= 0.5
    mean = window_means(picture)
    variance = window_means(picture**2) - mean**2
    slope = variance / (variance + (amount * STRONGEST) ** 2)
    expected = window_means(slope) * picture + window_means(mean - slope * mean)
    found = smoothed(picture.astype(np.float32), amount)
    np.testing.assert_allclose(found, expected, atol=2e-4)


def test_the_least_noise_of_8_bits_is_kept_or_not_as_the_filter_says() -> None:
    levels = 200 + np.random.default_rng(0).integers(-1, 2, (40, 40, 3))
    picture = levels / 255
    mean = window_means(picture)
    variance = window_means(picture**2) - mean**2
    slope = variance / (variance + (0.05 * STRONGEST) ** 2)
    expected = window_means(slope) * picture + window_means(mean - slope * mean)
    found = smoothed(picture.astype(np.float32), 0.05)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_noise_goes_and_edges_stay() -> None:
    picture = noise(80, 96, scale=8 / 255)
    picture[:, 48:] += 0.3
    found = smoothed(picture, 0.5)
    flat = np.s_[20:60, 70:90]
    assert found[flat].std() < 0.35 * picture[flat].std()
    before, after = (each[:, 50].mean() - each[:, 45].mean() for each in (picture, found))
    assert after > 0.9 * before
    left = [smoothed(picture, amount)[flat].std() for amount in (0.0, 0.05, 0.2, 0.5)]
    assert left == sorted(left, reverse=True)


def test_an_edge_between_colours_of_equal_luma_stays() -> None:
    picture = np.empty((40, 60, 3), np.float32)
    picture[:, :30], picture[:, 30:] = (0.6, 0.4, 0.4), (0.4, 0.5, 0.41)
    found = smoothed(picture, 0.5)
    difference = found[20, 35] - found[20, 25]
    np.testing.assert_allclose(difference[:2], [-0.2, 0.1], rtol=0.25)


def test_nothing_is_done_to_what_has_no_detail() -> None:
    picture = noise(5, 7)
    assert smoothed(picture, 0) is picture
    plain = np.broadcast_to(np.float32([0.2, 1.0, 0.0]), (50, 60, 3)).copy()
    for amount in (1.0, 1e-170):
        np.testing.assert_allclose(smoothed(plain, amount), plain, atol=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 2), (33, 34)])
def test_every_size_and_no_value_beyond_the_range(size: tuple[int, int]) -> None:
    found = smoothed((noise(*size) > 0.5).astype(np.float32), 1.0)
    assert found.shape == (*size, 3) and found.dtype == np.float32
    assert found.min() >= 0 and found.max() <= 1


def test_a_part_is_smoothed_as_in_the_whole_to_the_bit() -> None:
    picture = noise(190, 210)
    whole = smoothed(picture, 0.5)
    part = smoothed(picture[20:180, 30:200], 0.5)
    inside = slice(REACH, -REACH)
    assert np.array_equal(part[inside, inside], whole[20:180, 30:200][inside, inside])
    assert not np.array_equal(part[REACH - 1], whole[20 + REACH - 1, 30:200])
    # Tall pictures are filtered in bands.
    tall = noise(600, 12)
    parts = [smoothed(tall[:350], 0.5)[:310], smoothed(tall[270:], 0.5)[40:]]
    assert np.array_equal(smoothed(tall, 0.5), np.concatenate(parts))
