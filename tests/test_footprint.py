"""The estimate of memory beside what is measured, and what is refused by it."""

import subprocess
import sys

import pytest
from sample_images import refused

from adain import footprint, registry

FAST, VGG19 = registry.BUILT_IN["fast"], registry.BUILT_IN["vgg19"]

MEASURE = """
import sys, numpy as np
from adain import Stylizer
from adain.learning.peak_memory import peak_memory
width, height = map(int, sys.argv[1:])
content = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
Stylizer("fast", "cpu", cached_contents=0).stylize(content, content[:256, :256])
print(peak_memory())
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process's peak memory")
@pytest.mark.parametrize("size", [(1200, 900), (1600, 1200), (2400, 1800)])
def test_the_estimate_is_what_is_measured(size):
    command = [sys.executable, "-c", MEASURE, *map(str, size)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert footprint.memory_needed(FAST, *size) == pytest.approx(int(done.stdout), rel=0.25)


def test_a_limit_and_the_free_memory_are_enough_or_named(monkeypatch):
    monkeypatch.setattr(footprint, "memory_available", lambda: 2_000_000_000)
    footprint.check_memory("photo.jpg", FAST, 2000, 1500)
    footprint.check_memory("photo.jpg", FAST, 2000, 1500, 700_000_000)
    words = "photo.jpg", "8,000 x 6,000 pixels", "10.0 GB", "the free 2.0 GB", "max_side of "
    with pytest.raises(ValueError, match="max_side of") as caught:
        footprint.check_memory("photo.jpg", FAST, 8000, 6000)
    assert all(word in str(caught.value) for word in words), caught.value
    side = int(str(caught.value).rsplit(" ", 1)[1])
    footprint.check_memory("photo.jpg", FAST, side, side * 3 // 4)
    refused(
        lambda: footprint.check_memory("photo.jpg", VGG19, 2000, 1500, 500_000_000),
        "vgg19 takes 3.0 GB",
        "the memory limit of 500 MB",
    )
    monkeypatch.setattr(footprint, "memory_available", lambda: None)
    footprint.check_memory("photo.jpg", FAST, 60_000, 60_000)
