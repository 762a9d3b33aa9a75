"""Painted maps: what programs may send, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import error_of
from sample_images import painted_map

from adain.demo import painted


@pytest.fixture(scope="module")
def halves() -> np.ndarray:
    """Style 1 on the left, style 3 at half its strength on the right: uint8 [10, 16, 3]."""
    masks = np.zeros((10, 16, 3), np.uint8)
    masks[:, :8, 0] = 255
    masks[:, 8:, 2] = 128
    return masks


def test_a_map_is_the_masks_of_three_styles(halves: np.ndarray) -> None:
    masks = painted.masks_of(painted_map(halves))
    assert masks.dtype == np.float32
    assert np.array_equal(masks, np.float32(halves).transpose(2, 0, 1) / 255)


def test_a_map_at_its_limits_is_taken() -> None:
    side = painted.SIDE
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 4), np.uint8)
    assert len(painted_map(noise)) < painted.LENGTH
    assert painted.masks_of(painted_map(noise)).shape == (3, side, side)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (None, "nothing painted"),
        ("", "nothing painted"),
        ({"path": "/etc/hostname"}, "nothing painted"),
        ("/etc/hostname", "text that starts with '/etc/hostname'"),
        ("data:image/svg+xml;base64,AAAA", "text that starts with"),
        (painted.TYPE + "no base64!", "no base64"),
        (painted.TYPE + "é", "no base64"),
        (painted.TYPE + "A" * painted.LENGTH, "characters"),
        (painted.TYPE, "no PNG"),
        (painted_map(np.zeros((8, 8, 3), np.uint8), "JPEG"), "no PNG"),
        (painted_map(np.zeros((8, 8, 3), np.uint8))[:78], "cannot be decoded"),
        (painted_map(np.zeros((257, 256, 3), np.uint8)), "256 x 257 pixels"),
    ],
)
def test_what_is_no_map_is_refused_in_a_sentence(given: object, found: str) -> None:
    message = error_of(lambda: painted.masks_of(given))
    assert message.startswith("map: ")
    assert found in message
