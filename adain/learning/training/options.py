"""The training options and their defaults, checked; without PyTorch, as the CLI reads them."""

import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from adain.choices import check_choices
from adain.errors import AdaINError, found_error
from adain.learning.training.schedule import Schedule
from adain.registry import BUILT_IN, DEFAULT_MODEL, TRAINED

# Of plain reconstruction, for a network that starts from scratch.
RECONSTRUCTION_STEPS = 1500
SEEDS = 2**32  # and as many below 0
# What may differ where a run goes on: its length, the clock, the machine, what is written beside
# the weights, and what the next steps minimise and how fast. Paths may, as files move.
MAY_CHANGE = frozenset(
    {
        *("steps", "hours", "session_minutes", "checkpoint_minutes"),
        *("device", "precision", "compile", "vgg", "weights"),
        *("log_every", "evaluate_every", "resumable", "tensorboard"),
        *("learning_rate", "clip_norm", "style_weight", "reconstruction_weight"),
        *("shift_weight", "steady_weight", "estimate_weight"),
    }
)


@dataclass(frozen=True)
class TrainOptions:
    """How to train; ``steps`` or ``hours`` says how long.

    With the schedule ``cosine`` one of them must be given, so that the rate can decay until then;
    with ``constant`` a run may have no end but being stopped.
    """

    model: str = DEFAULT_MODEL
    crop: int = 128
    batch_size: int = 8
    steps: int | None = None
    hours: float | None = None
    optimizer: Literal["muon", "adam"] = "muon"
    schedule: Schedule = "cosine"
    learning_rate: float = 4e-4
    ramp_steps: int = 100
    reconstruction_steps: int | None = None  # as `warm_up` has it
    estimate_steps: int = 0  # of ``fast`` alone: first so many steps of its style network alone
    reuse: int = 2
    zoom: float = 2.0  # a third of all crops are enlarged up to so many times
    weights: str | os.PathLike[str] | None = None
    style_weight: float = 10.0
    reconstruction_weight: float = 30.0
    shift_weight: float = 0.0  # of ``fast`` alone: moving a crop for vgg19 is seeing it anew
    steady_weight: float = 0.0  # of ``fast`` alone, for the same reason
    estimate_weight: float = 10.0  # of ``fast`` alone; at 0 its style network stays as it is
    clip_norm: float = 5.0
    ema_decay: float = 0.999
    vgg: str | os.PathLike[str] | None = None  # a rounded loss network instead of the published
    painting: str | None = None  # which one a network is specialised to, if it is: its digest
    seed: int = 0
    device: str = "auto"
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    compile: bool | None = None
    held_out: int = 16
    log_every: int = 10
    evaluate_every: int = 250
    checkpoint_minutes: float = 3.0
    session_minutes: float | None = None  # stop, saved, after so many minutes of this call
    resumable: bool = True  # else weights and log are kept up to date, and no checkpoint
    tensorboard: bool = True

    def __post_init__(self) -> None:
        def check(good: bool, name: str, allowed: str) -> None:
            if not good:
                raise found_error(name, repr(getattr(self, name)), allowed)

        check_choices(self)
        check(self.model in TRAINED, "model", " or ".join(TRAINED))
        check(64 <= self.crop <= 512 and self.crop % 16 == 0, "crop", "a multiple of 16 in 64..512")
        weights = ("style", "reconstruction", "shift", "steady", "estimate")
        for name in (f"{of}_weight" for of in weights):
            check(0 <= getattr(self, name) < math.inf, name, "0 or more, and finite")
        check(0 < self.clip_norm < math.inf, "clip_norm", "more than 0, and finite")
        check(0 <= self.ema_decay < 1, "ema_decay", "0 or more, and less than 1")
        check(self.held_out >= 1, "held_out", "1 or more")
        check(self.batch_size >= 1, "batch_size", "1 or more")
        check(self.reuse >= 1, "reuse", "1 or more")
        check(1 <= self.zoom <= 8, "zoom", "1 to 8")
        check(self.steps is None or self.steps >= 1, "steps", "1 or more")
        check(self.hours is None or 0 < self.hours < math.inf, "hours", "more than 0, and finite")
        minutes = self.session_minutes
        check(minutes is None or minutes > 0, "session_minutes", "more than 0")
        warm_up = self.reconstruction_steps
        check(warm_up is None or warm_up >= 0, "reconstruction_steps", "0 or more")
        # The model's own style network is what these two train.
        own = BUILT_IN[self.model].has_style_network
        check(own or not self.estimate_steps, "estimate_steps", f"0 for {self.model}")
        check(self.estimate_steps >= 0, "estimate_steps", "0 or more")
        trains = self.estimate_weight > 0 or not self.estimate_steps
        check(trains, "estimate_steps", "0 with an estimate_weight of 0")
        for name in ("shift_weight", "steady_weight"):
            check(own or not getattr(self, name), name, f"0 for {self.model}")
        check(self.ramp_steps >= 1, "ramp_steps", "1 or more")
        # Each step's generator has one of its own, a million times as large.
        check(abs(self.seed) <= SEEDS, "seed", f"-{SEEDS} to {SEEDS}")
        check(0 < self.learning_rate < math.inf, "learning_rate", "more than 0, and finite")
        if self.steps is not None and self.hours is not None:
            raise AdaINError("give either steps or hours, and not both")
        if self.schedule == "cosine" and self.steps is None and self.hours is None:
            raise AdaINError("give either steps or hours, so that the learning rate can decay")

    @property
    def warm_up(self) -> int:
        """How many steps of reconstruction come first."""
        return _warm_up(self.reconstruction_steps, self.weights)


def _warm_up(steps: int | None, weights: str | os.PathLike[str] | None) -> int:
    if steps is not None:
        return steps
    return RECONSTRUCTION_STEPS if weights is None else 0


def check_continues(options: TrainOptions, before: Mapping[str, Any], run_dir: Path) -> None:
    """Raise AdaINError where the options ``before`` of a run's checkpoint do not let it go on.

    Names the options that differ. Those that the checkpoint does not know had their defaults.
    """
    earlier = {field.name: before.get(field.name, field.default) for field in fields(options)}
    # By default it depends on whether weights are given, and it is the number that counts.
    earlier["reconstruction_steps"] = _warm_up(earlier["reconstruction_steps"], earlier["weights"])
    now = asdict(options) | {"reconstruction_steps": options.warm_up}
    changed = [name for name in now if name not in MAY_CHANGE and now[name] != earlier[name]]
    if changed:
        differences = ", ".join(f"{name} {earlier[name]!r}, not {now[name]!r}" for name in changed)
        raise AdaINError(
            f"{run_dir}: holds a run of {differences}; give it what it began with, or choose"
            " another folder"
        )
