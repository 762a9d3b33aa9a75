"""Which weights become candidates to ship."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from safetensors.torch import save_file
from torch import nn

from adain.images import save_image
from adain.learning.evaluation import candidates
from adain.learning.evaluation.candidates import Judge, consider, is_better
from adain.learning.models.fast import Fast

GOOD = {"target": 1.0, "style": 0.5, "pixel": 0.02, "total": 6.6, "lattice": 0.9}


@pytest.mark.parametrize(
    ("change", "better"),
    [
        ({}, False),
        ({"total": 6.5}, True),
        ({"total": 6.7}, False),
        ({"total": 6.0, "pixel": 0.0201}, True),
        ({"total": 6.0, "pixel": 0.0203}, False),
        ({"total": 6.0, "lattice": 1.0}, False),
        ({"total": float("nan")}, False),
    ],
)
def test_better_is_a_lower_total_and_nothing_worse(change: dict[str, float], better: bool) -> None:
    assert is_better(GOOD | change, GOOD) == better


@pytest.mark.parametrize(("gone", "larger"), [(0.5, 0.5), (0.1, 0.9), (0.8, 0.8), (0.0, 1.0)])
def test_a_slider_that_does_nothing_in_one_half_is_seen(gone: float, larger: float) -> None:
    generator = torch.Generator().manual_seed(0)
    photo, painted = torch.rand(2, 2, 3, 128, 128, generator=generator).unbind()
    half = torch.lerp(photo, painted, gone)
    found = candidates.picture_measures(photo, painted, half, photo)
    assert found["larger_half"] == pytest.approx(larger)
    assert found["cast"] == pytest.approx(0, abs=1e-6)


class Told:
    """A judge that finds the scores written in the weights."""

    def __init__(self) -> None:
        self.options = candidates.TrainOptions(model="fast", steps=1)

    def scores(self, network: nn.Module) -> dict[str, float]:
        assert isinstance(network, Fast)
        value = network.encoder.layers[0][0].bias[0].item()
        return {"target": value, "style": value, "pixel": value, "total": 41 * value}


def write(path: Path, value: float) -> Path:
    network = Fast()
    network.encoder.layers[0][0].bias.data.fill_(value)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(network.state_dict(), path, {"step": "70"})
    return path


def test_what_is_kept(tmp_path: Path) -> None:
    folder, kept = tmp_path / "weights", tmp_path / "weights" / "candidates" / "fast.safetensors"
    write(folder / "fast.safetensors", 1.0)
    (folder / "MODEL_CARD.md").write_text("# Model card\n\nText.\n")
    judge = Told()
    worse = write(tmp_path / "worse.safetensors", 1.5)
    assert "not better than what ships: target 1.5000 to 1.0000" in consider(judge, worse, folder)
    assert not kept.exists()
    for value in (0.75, 0.5):
        better = write(tmp_path / "better.safetensors", value)
        assert f"kept as {kept}" in consider(judge, better, folder)
        assert kept.read_bytes() == better.read_bytes()
    between = write(tmp_path / "between.safetensors", 0.625)
    assert f"not better than {kept}" in consider(judge, between, folder)
    assert kept.read_bytes() == better.read_bytes()
    lines = (folder / "MODEL_CARD.md").read_text().splitlines()
    assert lines[:3] == ["# Model card", "", "Text."]
    assert lines.count("## Candidates") == 1
    assert lines[-2:] == [
        "| fast | 70 | 0.7500 | 0.7500 | 0.7500 | 30.7500 | 41.0000 | - |",
        "| fast | 70 | 0.5000 | 0.5000 | 0.5000 | 20.5000 | 41.0000 | - |",
    ]


def test_shipped_weights_that_fit_nothing_are_not_compared_with(tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    save_file({"old": torch.zeros(1)}, folder / "fast.safetensors")
    assert "kept as" in consider(Told(), write(tmp_path / "first.safetensors", 1.0), folder)
    assert (folder / "MODEL_CARD.md").read_text().endswith("| 41.0000 | - | - |\n")


@pytest.mark.usefixtures("vgg19_weights")
def test_a_judge_finds_the_losses_of_the_trainer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adain.learning.training.held_out.HELD_OUT_SIZE", 64)
    monkeypatch.setattr("adain.learning.training.objective.DEVIATION_CROPS", 2)
    monkeypatch.setattr(candidates, "picture_measures", lambda *pictures: {"count": len(pictures)})
    generator = np.random.default_rng(0)
    folders = tmp_path / "content", tmp_path / "style"
    for folder in folders:
        folder.mkdir()
        for number in range(4):
            save_image(generator.random((64, 80, 3)).astype(np.float32), folder / f"{number}.png")
    from adain.learning.training.trainer import Trainer

    options = candidates.TrainOptions(model="fast", steps=1, device="cpu", batch_size=1, crop=64)
    trainer = Trainer(*folders, tmp_path / "run", options)
    losses, _ = trainer.evaluate()
    network = candidates.load_trainable("fast", tmp_path / "run" / "weights.safetensors")
    scores = Judge("fast", *folders).scores(network)
    assert scores["count"] == 4
    for name in ("target", "style", "pixel", "total"):
        # The file has 16 bits.
        assert scores[name] == pytest.approx(losses[name], rel=0.02)
