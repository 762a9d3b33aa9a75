"""Damaged files are read, or refused in one line; `python -m benchmarks.damaged` tries more."""

import pytest

from benchmarks.damaged import GOOD, READ, REFUSED, damaged, survey


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


def test_damage_is_repeatable_and_damage() -> None:
    sound = bytes(range(256)) * 100
    files = [damaged(sound, seed) for seed in range(50)]
    assert files == [damaged(sound, seed) for seed in range(50)]
    assert len(set(files)) == 50 and sound not in files
