"""What the tests of training share: the smallest run there is, and its log."""

import json
from pathlib import Path
from typing import Any

# Everything logged and saved at every step, and both phases within the first few.
TINY: dict[str, Any] = {
    "crop": 64,
    "batch_size": 2,
    "reconstruction_steps": 2,
    "held_out": 2,
    "log_every": 1,
    "evaluate_every": 4,
    "checkpoint_minutes": 0,
    "device": "cpu",
    # "auto" measures, and runs that are compared must not differ by what load that meets.
    "precision": "fp32",
}


def losses(run_dir: Path) -> list[dict[str, float]]:
    """The log without what depends on the clock."""
    lines = [json.loads(line) for line in (run_dir / "log.jsonl").read_text().splitlines()]
    clocked = {"images_per_second", "teraflops", "fraction_of_peak"}
    return [{k: v for k, v in line.items() if k not in clocked} for line in lines]
