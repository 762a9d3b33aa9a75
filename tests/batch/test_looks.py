"""Turns of large pictures on the devices of a folder."""

import threading

from adain.batch.looks import Turns


def test_a_device_that_is_free_is_taken_instead_of_a_busy_one():
    turns = Turns(2)
    with turns.take(1) as first, turns.take(1) as second:
        assert (first, second) == (1, 0)
    with turns.take(1) as again:
        assert again == 1


def test_where_none_is_free_the_next_that_is_given_back_is_taken():
    turns, taken = Turns(2), []
    ended = threading.Event()

    def work():
        with turns.take(0) as device:
            taken.append(device)
        ended.set()

    waiting = threading.Thread(target=work)
    with turns.take(0):
        with turns.take(1):
            waiting.start()
            # Nobody can prove that it would wait for ever; it has not begun here.
            assert not ended.wait(0.2) and taken == []
        assert ended.wait(60) and taken == [1]
    waiting.join()
