"""The learning rate over a run."""

import pytest

from adain.learning.training.schedule import rate_share


@pytest.mark.parametrize("schedule", ["cosine", "constant"])
def test_it_warms_up(schedule: str) -> None:
    shares = [rate_share(schedule, step, 4, 0.0) for step in range(6)]
    assert shares == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1])


def test_cosine_decay() -> None:
    shares = [rate_share("cosine", 1000, 100, progress) for progress in (0, 0.5, 1)]
    assert shares == pytest.approx([1, 0.51, 0.02])


def test_a_constant_rate_does_not_decay() -> None:
    assert rate_share("constant", 10**6, 100, 1.0) == 1
