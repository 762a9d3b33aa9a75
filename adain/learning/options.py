"""How to train: the options of `adain train` and their defaults."""

import os
from dataclasses import dataclass

import torch

from adain.errors import AdaINError, found_error
from adain.weights import TRAINED


@dataclass(frozen=True)
class TrainOptions:
    """How to train; ``steps`` or ``hours`` says how long, and both end with a decayed rate."""

    model: str = "fast"
    crop: int = 128
    batch_size: int = 8
    steps: int | None = None
    hours: float | None = None
    optimizer: str = "muon"
    learning_rate: float = 1e-3
    ramp_steps: int = 100
    reconstruction_steps: int = 1500
    estimate_steps: int = 0  # of ``fast`` alone: first so many steps of its style network alone
    reuse: int = 2
    weights: str | os.PathLike[str] | None = None
    style_weight: float = 10.0
    reconstruction_weight: float = 30.0
    shift_weight: float = 0.0  # of ``fast`` alone: moving a crop for vgg19 is seeing it anew
    estimate_weight: float = 10.0  # of ``fast`` alone
    clip_norm: float = 5.0
    ema_decay: float = 0.999
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    compile: bool | None = None
    held_out: int = 16
    log_every: int = 10
    evaluate_every: int = 250
    checkpoint_minutes: float = 3.0

    def __post_init__(self) -> None:
        def check(good: bool, name: str, allowed: str) -> None:
            if not good:
                raise found_error(name, repr(getattr(self, name)), allowed)

        check(self.model in TRAINED, "model", " or ".join(TRAINED))
        check(self.crop >= 64 and self.crop % 16 == 0, "crop", "a multiple of 16, at least 64")
        check(self.batch_size >= 1, "batch_size", "1 or more")
        check(self.reuse >= 1, "reuse", "1 or more")
        check(self.optimizer in ("muon", "adam"), "optimizer", "muon or adam")
        check(self.steps is None or self.steps >= 1, "steps", "1 or more")
        check(self.hours is None or self.hours > 0, "hours", "more than 0")
        check(self.shift_weight >= 0, "shift_weight", "0 or more")
        check(self.estimate_weight >= 0, "estimate_weight", "0 or more")
        check(self.model == "fast" or not self.estimate_steps, "estimate_steps", "0 for vgg19")
        check(self.estimate_steps >= 0, "estimate_steps", "0 or more")
        check(self.model == "fast" or not self.shift_weight, "shift_weight", "0 for vgg19")
        check(self.ramp_steps >= 1, "ramp_steps", "1 or more")
        check(self.learning_rate > 0, "learning_rate", "more than 0")
        check(self.precision in ("auto", "bf16", "fp32"), "precision", "auto, bf16 or fp32")
        if (self.steps is None) == (self.hours is None):
            raise AdaINError("give either steps or hours, so that the learning rate can decay")


def choose_device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise AdaINError(f"device: found {name!r}, but PyTorch sees no CUDA device; allowed is cpu")
    return torch.device(name)
