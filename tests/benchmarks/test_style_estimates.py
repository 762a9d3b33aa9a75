"""The benchmark of estimated styles, on pictures that are drawn."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch", reason="the learning side needs PyTorch")

from adain.cli.run import run
from benchmarks.style_estimates import style_estimates

pytestmark = pytest.mark.usefixtures("vgg19_weights")


def test_errors_by_layer_and_their_sum(
    tmp_path: Path, painting: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, picture in (("a", painting), ("b", painting[::-1])):
        Image.fromarray(picture).save(tmp_path / f"{name}.png")
    assert run(style_estimates, [str(tmp_path), "--size", "96"]) == 0
    header, _, row = capsys.readouterr().out.strip().splitlines()
    assert header.split("|")[3:7] == [f" relu{stage}_1 " for stage in (1, 2, 3, 4)]
    pictures, pixels, *errors = (float(cell) for cell in row.strip("|").split("|"))
    assert (pictures, pixels) == (2, 96)
    assert sum(errors[:-1]) == pytest.approx(errors[-1], abs=3e-3)
    # That of plain gray is 136 away.
    assert all(error > 0 for error in errors) and errors[-1] < 10
