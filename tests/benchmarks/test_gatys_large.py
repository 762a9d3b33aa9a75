"""The benchmark of large optimisations, on a picture that is none."""

import pytest

pytest.importorskip("torch", reason="the learning side needs PyTorch")

from adain.cli.run import run
from benchmarks.gatys_large import main

pytestmark = pytest.mark.usefixtures("vgg19_weights")


def test_a_row_for_each_limit(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--size", "64", "--memory-limit", "none", "--memory-limit", "1MB"]
    assert run(main, arguments) == 0
    whole, refused = capsys.readouterr().out.strip().splitlines()[-2:]
    cells = [cell.strip() for cell in whole.strip("|").split("|")]
    assert cells[:4] == ["64", "none", "fp32", "-"]
    assert float(cells[4]) > 0 and float(cells[5]) > 100
    assert "memory_limit: found '1MB'" in refused
