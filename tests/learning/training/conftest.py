"""Images to train on."""

from pathlib import Path

import numpy as np
import pytest

from adain.images import save_image


@pytest.fixture(scope="package")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Smooth contents and striped styles."""
    content, style = tmp_path_factory.mktemp("content"), tmp_path_factory.mktemp("style")
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[0:96, 0:80] / 96
    for number in range(6):
        colour = generator.random(3)
        smooth = np.stack([rows, columns, 1 - rows], axis=2) * colour
        stripes = (np.sin(40 * (rows + number * columns)) > 0)[..., None] * colour
        save_image(smooth.astype(np.float32), content / f"{number}.png")
        save_image(stripes.astype(np.float32), style / f"{number}.png")
    (style / "broken.jpg").write_bytes(b"not an image")
    return content, style
