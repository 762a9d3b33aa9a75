"""Damaged files are read, or refused in one line; `python -m benchmarks.damaged` tries more."""

import pytest

from benchmarks.damaged import GOOD, READ, REFUSED, survey


@pytest.mark.parametrize("kind", ["model", "style"])
def test_damaged_files_of_the_library(kind: str) -> None:
    check(kind, 100)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["description", "weights", "checkpoint"])
def test_damaged_files_of_training_and_export(kind: str) -> None:
    pytest.importorskip("torch", reason="the learning side needs PyTorch")
    check(kind, 100)


def check(kind: str, count: int) -> None:
    outcomes, faults = survey(kind, count)
    assert faults == []
    assert sum(outcomes[word] for word in GOOD) == outcomes.total() == count
    # Both ways are really gone.
    assert outcomes[READ] and outcomes[REFUSED]
