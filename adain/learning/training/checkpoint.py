"""Checkpoints read with care: a full disk, or a machine that went down, may have left a part."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch

from adain.errors import failing

CHECKPOINT = "checkpoint.pt"
BROKEN = "a checkpoint that cannot be read"
WHOLE = "one that `adain train` wrote; without the file, the run starts anew"
# What a checkpoint holds; Trainer.save writes it.
ENTRIES = {
    "options": dict,
    "step": int,
    "seconds": float,
    "best": float,
    "trained": dict,
    "ema": dict,
    "optimizer": dict,
}


def read_checkpoint(path: Path, device: torch.device) -> dict[str, Any]:
    """What `Trainer.save` wrote; AdaINError, with the path, for anything else.

    Nothing in the file is executed.
    """
    with failing(str(path), BROKEN, WHOLE):
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        if not isinstance(state, dict):
            raise TypeError(f"a {type(state).__name__}, not a dict")
        for name, kind in ENTRIES.items():
            if not isinstance(state.get(name), kind):
                raise TypeError(f"{name} is a {type(state.get(name)).__name__}")
        if state["step"] < 0 or not 0 <= state["seconds"] < math.inf or math.isnan(state["best"]):
            raise ValueError(f"step {state['step']} after {state['seconds']} s")
        return state


class _Restorable(Protocol):
    def load_state_dict(self, state_dict: Any, /) -> object: ...


def restore(path: Path, state: Mapping[str, Any], **parts: _Restorable) -> None:
    """Bring networks and optimizer to the state that `read_checkpoint` found in ``path``.

    AdaINError where it is not theirs.
    """
    with failing(str(path), BROKEN, WHOLE):
        for name, part in parts.items():
            part.load_state_dict(state[name])
