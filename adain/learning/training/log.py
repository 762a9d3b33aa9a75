"""Logging of a run: ``log.jsonl``, and TensorBoard where that is wanted."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from adain.errors import failing
from adain.files import write_atomically
from adain.images import save_image

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

# In the folder of a run.
LOG = "log.jsonl"


class Log:
    """Losses over the steps; lines past the resumed step are dropped, since it repeats them."""

    def __init__(self, run_dir: Path, step: int, *, tensorboard: bool) -> None:
        self.run_dir, self.path = run_dir, run_dir / LOG
        kept = []
        if self.path.exists():
            with failing(str(self.path), "a log that cannot be read", "the log of this run"):
                lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
            kept = [line for line in lines if _step(line) <= step]
        write_atomically(self.path, "".join(line + "\n" for line in kept).encode())
        self.board: SummaryWriter | None = None
        if tensorboard:
            # Not installed on every machine that trains.
            from torch.utils import tensorboard as boards

            self.board = boards.SummaryWriter(str(run_dir), purge_step=step + 1)

    def write(self, step: int, kind: str, values: dict[str, float]) -> None:
        """Append the values of a step; ``kind`` is train or held_out."""
        allowed = "room on the disk; the same command goes on from the last checkpoint"
        with (
            failing(str(self.path), "a log that cannot be written", allowed),
            self.path.open("a", encoding="utf-8") as file,
        ):
            file.write(json.dumps({"step": step, "kind": kind, **values}) + "\n")
        if self.board is not None:
            for name, value in values.items():
                self.board.add_scalar(f"{kind}/{name}", value, step)

    def show(self, step: int, pictures: Tensor) -> None:
        """Write the held-out pictures, float32 ``[3, H, W]``, as ``held_out.png``."""
        grid = pictures.clamp(0, 1).permute(1, 2, 0).contiguous().numpy()
        save_image(grid, self.run_dir / "held_out.png")
        if self.board is not None:
            self.board.add_image("held_out", pictures, step)

    def close(self) -> None:
        if self.board is not None:
            self.board.close()


def _step(line: str) -> float:
    """The step of a line; infinite for what is none, as a full disk or a killed process leaves."""
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return math.inf
