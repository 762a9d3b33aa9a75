"""The learning-rate schedule, and the phases of training: what a step is for, and its rate.

Linear warm-up, then cosine decay or a constant rate. Without PyTorch, as the options are.
"""

import math
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from adain.learning.training.options import TrainOptions

Schedule = Literal["cosine", "constant"]
Phase = Literal["estimate", "reconstruction", "style"]
# What is left of the rate at the end of a decay, as a share of it.
FINAL_SHARE = 0.02
# Muon's learning rate over Adam's. A step of Muon has the spectral norm of its rate, whatever the
# width of the layer; scaled to the size of Adam's steps instead (Liu et al. 2025) it was too much
# for wide layers and too little for narrow ones.
MUON_RATE = 5.0


def phase_of(options: "TrainOptions", step: int) -> Phase:
    """What a step trains: the style network alone, plain reconstruction, or everything."""
    if step < options.estimate_steps:
        return "estimate"
    if step < options.estimate_steps + options.warm_up:
        return "reconstruction"
    return "style"


def progress(options: "TrainOptions", step: int, seconds: float) -> float:
    """How much of a run is done, 0 to 1; always 0 for one without an end."""
    if options.steps is not None:
        return min(1.0, step / options.steps)
    if options.hours is not None:
        return min(1.0, seconds / (3600 * options.hours))
    return 0.0


def learning_rate(options: "TrainOptions", step: int, seconds: float) -> float:
    """Adam's learning rate in a step, which counts from 0, after so many seconds of the run."""
    done = progress(options, step, seconds)
    return options.learning_rate * rate_share(options.schedule, step, options.ramp_steps, done)


def rate_share(schedule: Schedule, step: int, ramp_steps: int, progress: float) -> float:
    """The share of the peak learning rate that a step has, 0 to 1.

    ``step`` counts from 0; the share rises in equal steps over the first ``ramp_steps``. ``cosine``
    then falls by half a cosine (Loshchilov and Hutter 2017) to 2 % at ``progress`` 1. ``constant``
    stays, so that a run needs no end; a short one that starts from its averaged weights and decays
    brings the rest of the gain at any time (Hägele et al. 2024).
    """
    ramp = min(1.0, (step + 1) / ramp_steps)
    if schedule == "constant":
        return ramp
    return ramp * (FINAL_SHARE + (1 - FINAL_SHARE) * (1 + math.cos(math.pi * progress)) / 2)
