"""Logging of a run: ``log.jsonl``, and TensorBoard where that is wanted."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from adain.images import save_image

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class Log:
    """Losses over the steps; lines past the resumed step are dropped, since it repeats them."""

    def __init__(self, run_dir: Path, step: int, *, tensorboard: bool) -> None:
        self.run_dir, self.path = run_dir, run_dir / "log.jsonl"
        kept = []
        if self.path.exists():
            lines = [line for line in self.path.read_text().splitlines() if _whole(line)]
            kept = [line for line in lines if json.loads(line)["step"] <= step]
        self.path.write_text("".join(line + "\n" for line in kept))
        self.board: SummaryWriter | None = None
        if tensorboard:
            # Not installed on every machine that trains.
            from torch.utils import tensorboard as boards

            self.board = boards.SummaryWriter(str(run_dir), purge_step=step + 1)

    def write(self, step: int, kind: str, values: dict[str, float]) -> None:
        """Append the values of a step; ``kind`` is train or held_out."""
        with self.path.open("a") as file:
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


def _whole(line: str) -> bool:
    # A process that is killed while it writes leaves half a line.
    return line.startswith("{") and line.endswith("}")
