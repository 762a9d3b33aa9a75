"""The orientation, and blocks that hold none."""

import numpy as np
import pytest
from sample_images import exif

from adain.images.containers.exif import orientation_of


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation(orientation):
    assert orientation_of(exif(orientation)) == orientation
    xmp = b"<rdf:Description tiff:Orientation='%d'/>" % orientation
    assert orientation_of(b"", xmp) == orientation
    assert orientation_of(b"", b"<tiff:Orientation>%d</tiff:Orientation>" % orientation)
    assert orientation_of(exif(3), xmp) == 3


def test_broken_blocks_are_no_orientation():
    random, block = np.random.default_rng(0), exif(6)
    for cut in range(len(block)):
        assert orientation_of(block[:cut]) in (1, 6)
    for _ in range(2000):
        damaged = bytearray(block)
        for place in random.integers(0, len(block), 3):
            damaged[place] = random.integers(256)
        assert orientation_of(bytes(damaged)) in range(1, 9)
    for block in (b"", b"Exif\0\0", b"II*\0", exif(0), exif(9)):
        assert orientation_of(block, b"tiff:Orientation='0'") == 1
