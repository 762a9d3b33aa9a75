"""What the tests of the learning side share."""

from pathlib import Path

import numpy as np
import pytest

from adain.images import save_image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two contents and two styles of different shapes, and three pairs of them."""
    generator = np.random.default_rng(0)
    for side in ("content", "style"):
        (tmp_path / side).mkdir()
    for name, suffix, shape in (("hill", ".png", (80, 100, 3)), ("lake", ".jpg", (70, 64, 3))):
        noise = generator.integers(0, 256, shape, np.uint8)
        save_image(noise, tmp_path / "content" / f"{name}{suffix}")
        save_image(255 - noise // 2, tmp_path / "style" / f"{name}{suffix}")
    (tmp_path / "pairs.csv").write_text("content,style\nhill,hill\nhill,lake.jpg\nlake,hill\n")
    return tmp_path
