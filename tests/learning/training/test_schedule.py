"""The learning rate over a run."""

import pytest

from adain.learning.training.options import TrainOptions
from adain.learning.training.schedule import learning_rate, phase_of, progress, rate_share


@pytest.mark.parametrize("schedule", ["cosine", "constant"])
def test_it_warms_up(schedule: str) -> None:
    shares = [rate_share(schedule, step, 4, 0.0) for step in range(6)]
    assert shares == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1])


def test_cosine_decay() -> None:
    shares = [rate_share("cosine", 1000, 100, progress) for progress in (0, 0.5, 1)]
    assert shares == pytest.approx([1, 0.51, 0.02])


def test_a_constant_rate_does_not_decay() -> None:
    assert rate_share("constant", 10**6, 100, 1.0) == 1


def test_a_run_of_hours_decays_by_the_clock_and_one_of_steps_by_these() -> None:
    hours = TrainOptions(hours=2.0, learning_rate=1.0)
    assert progress(hours, 10**6, 3600.0) == 0.5
    assert learning_rate(hours, 10**6, 3600.0) == pytest.approx(0.51)
    steps = TrainOptions(steps=2000, learning_rate=1.0)
    assert progress(steps, 1000, 1e9) == 0.5 and progress(steps, 4000, 0.0) == 1
    assert learning_rate(steps, 1000, 0.0) == pytest.approx(0.51)
    assert progress(TrainOptions(schedule="constant"), 10**6, 1e9) == 0


def test_the_phases_follow_each_other() -> None:
    options = TrainOptions(steps=9, estimate_steps=2, reconstruction_steps=1)
    phases = [phase_of(options, step) for step in range(5)]
    assert phases == ["estimate", "estimate", "reconstruction", "style", "style"]
