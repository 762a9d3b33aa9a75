"""A recording of a real, small optimisation, as the page reads it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from adain import load_image
from adain.cli.run import run
from adain.demo import gatys_recorded
from adain.drawings import catalog
from adain.options import STYLE_SIDE
from tools.record_gatys import iterations_kept, record

SMALL = ("--size", "64", "--content", "autumn", "--style", "woodcut")


def test_it_keeps_more_of_the_beginning() -> None:
    assert iterations_kept(100, 10) == [1, 2, 3, 5, 8, 13, 22, 36, 60, 100]
    assert iterations_kept(3, 10) == [1, 2, 3]
    assert iterations_kept(1, 1) == [1]


@pytest.mark.slow
def test_the_page_reads_what_was_recorded(
    vgg19_weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from adain.learning.gatys.options import GatysOptions
    from adain.learning.gatys.run import optimize

    for iterations in (9, 6):  # the second takes the place of the first
        folder = ["-o", str(tmp_path / "new")]
        assert run(record, [*SMALL, *folder, "--iterations", str(iterations), "--frames", "4"]) == 0
    shown = list(gatys_recorded.frames(tmp_path / "new"))
    told = gatys_recorded.run(tmp_path / "new")
    assert told.frames == [len(progress.history) for progress in shown] == [1, 2, 3, 6]
    assert capsys.readouterr().out.splitlines()[-1] == told.sentence
    assert len(list((tmp_path / "new").iterdir())) == 6

    seen = load_image(catalog.file_of("autumn"), max_side=64)
    painted = load_image(catalog.file_of("woodcut"), max_side=STYLE_SIDE)
    made = optimize(seen, [painted], GatysOptions(iterations=6, device="cpu"))
    totals = [losses.total for losses in shown[-1].history]
    assert totals == pytest.approx([losses["total"] for losses in made.history], rel=2e-3)

    def off(iteration: int) -> float:
        kept = load_image(tmp_path / "new" / gatys_recorded.frame_name(iteration))
        return float(np.abs(kept.rgb - made.picture.rgb).mean())

    # WebP loses something of it, as small as it is.
    assert off(6) < 0.06 < off(1) / 1.5, (off(6), off(1))


def test_what_cannot_be_recorded_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(record, ["--style", "monet"]) == 2
    assert "'monet'" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert run(record, ["-o", str(tmp_path / "file")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("Error: ") or str(tmp_path / "file") in error
    assert error.count("\n") == 1
