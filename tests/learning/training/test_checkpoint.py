"""Checkpoints that are not whole, or not of this run, are one line that names the file."""

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from helpers import error_of
from tiny_training import TINY

from adain.learning.training.checkpoint import read_checkpoint, restore
from adain.learning.training.loop import train
from adain.learning.training.options import TrainOptions

STATE: dict[str, Any] = {
    "options": {}, "step": 3, "seconds": 1.5, "best": float("inf"),
    "trained": {"weight": torch.zeros(2, 3)}, "ema": {}, "optimizer": {},
}  # fmt: skip


def refused(path: Path) -> None:
    message = error_of(lambda: read_checkpoint(path, torch.device("cpu")))
    assert message.startswith(f"{path}: found a checkpoint that cannot be read (")


def test_a_whole_one_is_read(tmp_path: Path) -> None:
    torch.save(STATE, tmp_path / "checkpoint.pt")
    state = read_checkpoint(tmp_path / "checkpoint.pt", torch.device("cpu"))
    assert state["step"] == 3 and torch.equal(state["trained"]["weight"], torch.zeros(2, 3))


@pytest.mark.parametrize("part", [0, 1, 100, 0.5, 0.99])
def test_a_part_of_one_is_refused(tmp_path: Path, part: float) -> None:
    path = tmp_path / "checkpoint.pt"
    torch.save(STATE, path)
    data = path.read_bytes()
    path.write_bytes(data[: int(part * len(data)) if isinstance(part, float) else part])
    refused(path)


@pytest.mark.parametrize(
    "change", [{"step": "3"}, {"step": -1}, {"seconds": float("nan")}, {"trained": [1]}, None]
)
def test_other_contents_are_refused(tmp_path: Path, change: dict[str, Any] | None) -> None:
    torch.save([] if change is None else STATE | change, tmp_path / "checkpoint.pt")
    refused(tmp_path / "checkpoint.pt")


def test_what_is_of_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    message = error_of(lambda: restore(path, STATE, trained=torch.nn.Linear(3, 2)))
    assert message.startswith(f"{path}: found a checkpoint that cannot be read (RuntimeError")


@pytest.mark.usefixtures("vgg19_weights")
def test_a_run_goes_on_after_a_full_disk_and_not_from_half_a_checkpoint(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    train(*folders, tmp_path, TrainOptions(**TINY, steps=1))
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 190, "kind": "train", "pixel": 0.018')
    assert train(*folders, tmp_path, TrainOptions(**TINY, steps=2)).step == 2
    entries = map(json.loads, (tmp_path / "log.jsonl").read_text().splitlines())
    assert 190 not in [entry["step"] for entry in entries]
    other = TrainOptions(**TINY, steps=3, optimizer="adam")
    assert "optimizer 'muon', not 'adam'" in error_of(lambda: train(*folders, tmp_path, other))
    data = (tmp_path / "checkpoint.pt").read_bytes()
    (tmp_path / "checkpoint.pt").write_bytes(data[: len(data) // 2])
    options = TrainOptions(**TINY, steps=3)
    assert "checkpoint.pt: found a" in error_of(lambda: train(*folders, tmp_path, options))
    assert (tmp_path / "checkpoint.pt").read_bytes() == data[: len(data) // 2]


def test_a_folder_that_cannot_be_made_is_one_line(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    options = TrainOptions(**TINY, steps=1)
    message = error_of(lambda: train(*folders, tmp_path / "file" / "run", options))
    assert "run: found a folder that cannot be made (" in message
