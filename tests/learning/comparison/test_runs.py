import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers import error_of

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from comparing import NAMES, OPTIONS, SIZE, rows_of, runs_of

from adain import weights
from adain.images import load_image, save_image
from adain.learning.comparison import runs
from adain.learning.comparison.results import Compared
from adain.learning.comparison.runs import Runs
from adain.learning.evaluation.metrics import sliced_wasserstein
from adain.learning.evaluation.pairs import Pair
from adain.learning.evaluation.scoring import Scorer
from adain.learning.models.pretrained import load_vgg19_encoder
from adain.learning.tensors import to_tensor


def test_figures_are_those_of_the_stored_pictures(
    folder: Path, pair: Pair, compared: Compared
) -> None:
    scorer = Scorer(load_vgg19_encoder(), SIZE)
    for row, result in zip(rows_of(folder), compared.results, strict=True):
        image = to_tensor(load_image(result.picture))
        with torch.inference_mode():
            expected = scorer.losses(image, pair)
            colours = sliced_wasserstein(image, scorer.image(pair.style)).item()
        for name, value in {**expected, "colour_distance": colours}.items():
            assert float(row[name]) == pytest.approx(value, rel=1e-3), name


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process's peak memory")
def test_memory_is_that_of_a_process_of_its_own(compared: Compared) -> None:
    memory = {result.key: result.figures["memory"] for result in compared.results}
    # PyTorch, or what this process holds, would be many times as much.
    assert 2e7 < memory["fast-1"] < 3e8 < memory["gatys-from-content-3"]


def test_what_was_made_of_something_else_is_stale(
    copy: tuple[Path, Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, pair = copy

    def kept(**changed: Any) -> list[str]:
        runs = runs_of(folder, **changed)
        return [m.name for m in runs.methods if runs.kept(pair, m) is not None]

    assert kept() == NAMES
    assert kept(size=80) == kept(threads=2) == kept(device="auto") == []
    more = replace(OPTIONS, iterations=(4,), adain_iterations=0, alphas=(1,))
    assert kept(methods=more.methods()) == ["fast-1"]
    with monkeypatch.context() as patch:
        patch.setattr(weights, "find_model", lambda name: {"decoder": pair.content})
        assert kept() == ["gatys-from-content"]
    save_image(255 - load_image(pair.style).to_array(), pair.style)
    assert kept() == []


def test_images_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    runs = Runs(tmp_path, OPTIONS.methods(), size=SIZE)
    paths = [Path("a/Tree 1.jpg"), Path("b/Tree 1.jpg"), Path("tree?1.png"), Path("../..jpg")]
    assert [runs.label(path) for path in paths] == ["Tree 1", "Tree 1 (2)", "tree?1 (3)", "."]
    folders = {runs.path(Pair(path, path), runs.methods[0], ".png").parent for path in paths}
    assert len(folders) == 4
    assert all(folder.is_relative_to(tmp_path / "results") for folder in folders)


def test_a_process_that_makes_no_sense_and_lives_on_is_ended(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vgg19_weights: Path
) -> None:
    note, program = tmp_path / "process", tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho $$ > {note}\necho no pickle\nexec sleep 600\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(runs, "ENDING", 0.1)
    made = runs_of(tmp_path)
    message = error_of(lambda: made.make(pair, made.methods[0], lambda: None))
    assert message.startswith("fast-0.5: found a process whose output cannot be read (")
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)
