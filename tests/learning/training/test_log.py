"""The log of a run."""

import json
from pathlib import Path

import pytest
from helpers import error_of

pytest.importorskip("torch", reason="the learning side needs PyTorch")

from adain.learning.training.log import Log


def test_a_log_goes_on_where_its_run_does(tmp_path: Path) -> None:
    """Steps after the checkpoint are repeated; a killed process may have left half a line."""
    log = Log(tmp_path, 0, tensorboard=False)
    for step in (1, 2, 3):
        log.write(step, "train", {"total": float(step)})
    with log.path.open("a") as file:
        file.write('{"step": 4, "kind": "tr')
    Log(tmp_path, 2, tensorboard=False).write(3, "held_out", {"total": 0.5})
    lines = [json.loads(line) for line in log.path.read_text().splitlines()]
    assert [(line["step"], line["kind"]) for line in lines] == [
        (1, "train"), (2, "train"), (3, "held_out"),
    ]  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["log.jsonl"]


def test_what_a_full_disk_leaves_is_dropped(tmp_path: Path) -> None:
    """Half a line, one that the next step was appended to, and a block of zeros."""
    log = Log(tmp_path, 0, tensorboard=False)
    log.write(1, "train", {"total": 1.0})
    half, whole = '{"step": 2, "kind": "train", "pi', '{"step": 2, "kind": "train"}'
    for rest in (half.encode(), f"{half}{whole}\n".encode(), bytes(99), b"\xff\xfe{}\n[2]\n"):
        with log.path.open("ab") as file:
            file.write(rest)
        log = Log(tmp_path, 9, tensorboard=False)
        assert log.path.read_text() == '{"step": 1, "kind": "train", "total": 1.0}\n'


def test_a_log_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    log = Log(tmp_path, 0, tensorboard=False)
    log.path.unlink()
    log.path.mkdir()
    assert "log.jsonl: found a log that cannot be written" in error_of(
        lambda: log.write(1, "train", {"total": 1.0})
    )
