"""A recorded optimisation, for pages where PyTorch or VGG-19 is missing.

``python -m tools.record_gatys`` makes one of pictures that ship; here it is read, as what
`gatys_plot.view` shows of a run that goes on.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from adain.demo.gatys_plot import Losses, Progress, duration

FOLDER = Path(__file__).parent / "recorded"
RUN = "run.json"
ADAIN = "adain.webp"


def frame_name(iteration: int) -> str:
    """The file of Gatys's picture after so many iterations."""
    return f"{iteration:04}.webp"


@dataclass(frozen=True)
class Run:
    """What `RUN` holds, as JSON.

    ``content`` and ``style`` are names of the catalog; ``size`` is that of the pictures, width and
    height; ``machine`` is what computed it, in plain words. Losses are content, style, total and
    seconds of the processor, as `Losses` has them; ``frames`` are the iterations whose pictures
    are kept, the last one among them.
    """

    content: str
    style: str
    model: str
    size: list[int]
    machine: str
    adain: list[float]
    history: list[list[float]]
    frames: list[int]

    @property
    def sentence(self) -> str:
        """Where it was recorded, and how long it took there."""
        took = duration(self.history[-1][-1])
        return f"Recorded on {self.machine}: {len(self.history)} iterations took {took}."


def run(folder: Path = FOLDER) -> Run:
    """What is told of the recording, without its pictures."""
    return Run(**json.loads((folder / RUN).read_text(encoding="utf-8")))


def frames(folder: Path = FOLDER) -> Iterator[Progress]:
    """The run, from frame to frame; nothing is said of the time left, since it is played faster."""
    told = run(folder)
    width, height = told.size
    history = [Losses(*losses) for losses in told.history]
    for iteration in told.frames:
        yield Progress(
            model=told.model,
            iterations=len(history),
            pictures=[_address(folder / ADAIN), _address(folder / frame_name(iteration))],
            size=(width, height),
            adain=Losses(*told.adain),
            history=history[:iteration],
            left=None,
        )


def _address(path: Path) -> str:
    return f"data:image/webp;base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"
