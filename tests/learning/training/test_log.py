"""The log of a run."""

import json
from pathlib import Path

import pytest

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
