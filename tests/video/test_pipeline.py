"""Items that a thread makes ahead: their order, their bound, their errors and their end."""

import threading

import pytest

from adain.video.pipeline import ahead


def test_order_and_bound():
    made = []

    def items():
        for number in range(20):
            made.append(number)
            yield number

    taken = []
    for item in ahead(items(), 2):
        taken.append(item)
        # The one that is taken, two that wait, and one that waits for room.
        assert len(made) <= len(taken) + 3
    assert taken == list(range(20))


def test_works_in_another_thread():
    (name,) = ahead(iter(threading.current_thread().name for _ in range(1)))
    assert name != threading.current_thread().name


def test_an_error_comes_in_its_turn():
    def items():
        yield 1
        raise ValueError("broken")

    found = ahead(items())
    assert next(found) == 1
    with pytest.raises(ValueError, match="broken"):
        next(found)


def test_closed_early_it_ends_all_stages():
    before = threading.active_count()
    closed = []

    def items():
        try:
            number = 0
            while True:
                yield number
                number += 1
        finally:
            closed.append(True)

    outer = ahead(n for n in ahead(items()))
    assert next(outer) == 0
    outer.close()
    assert closed == [True] and threading.active_count() == before
