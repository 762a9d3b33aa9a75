"""Padding to the stride, by numpy and by the file for other programs."""

import numpy as np
import pytest

from adain.padding import padded, padded_side, reflected, to_planar


@pytest.mark.parametrize(("side", "stride", "wanted"), [(1, 8, 16), (16, 8, 16), (17, 8, 24)])
def test_sides(side, stride, wanted):
    assert padded_side(side, stride) == wanted == len(reflected(side, stride))


@pytest.mark.parametrize("side", [1, 2, 3, 5, 15, 16, 17, 31])
def test_places_are_a_mirror_behind_a_mirror(side):
    cycle = [*range(side), *range(side - 2, 0, -1)]
    places = reflected(side, 8)
    assert places.tolist() == [cycle[i % len(cycle)] for i in range(len(places))]
    assert np.array_equal(padded(np.arange(16 * side).reshape(1, 16, side), 8)[0, 0], places)


def test_planes_are_padded_and_contiguous():
    planes = to_planar(np.random.default_rng(0).random((5, 33, 3)).astype(np.float32), 8)
    assert planes.shape == (1, 3, 16, 40) and planes.flags.c_contiguous
