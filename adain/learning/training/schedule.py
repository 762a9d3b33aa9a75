"""Learning-rate schedules: linear warm-up, then cosine decay or a constant rate."""

import math

SCHEDULES = ("cosine", "constant")
# What is left of the rate at the end of a decay, as a share of it.
FINAL_SHARE = 0.02


def rate_share(schedule: str, step: int, ramp_steps: int, progress: float) -> float:
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
