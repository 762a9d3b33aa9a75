"""Room for pictures: how many are under way by their pixels."""

import threading

import numpy as np
from PIL import Image

from adain.batch import room as module
from adain.batch.room import Room, Ticket, pixels_of


def test_a_picture_waits_until_there_is_room():
    room, order = Room(100), []
    room.take(80, lambda: False)

    def second() -> None:
        room.take(30, lambda: False)
        order.append("taken")

    thread = threading.Thread(target=second)
    thread.start()
    thread.join(0.3)
    assert order == []
    room.give(80)
    thread.join(10)
    assert order == ["taken"]


def test_one_of_any_size_finds_room_alone_and_who_is_stopped_does_not_wait():
    room = Room(100)
    room.take(1000, lambda: False)
    room.take(1, lambda: True)
    room.give(1001)
    room.take(100, lambda: False)


def test_a_ticket_gives_back_once_all_is_made():
    room = Room(100)
    room.take(100, lambda: False)
    ticket = Ticket(room, 100, 2)
    ticket.used()
    assert room._taken == 100
    ticket.used()
    assert room._taken == 0


def test_pixels_by_the_header(tmp_path, monkeypatch):
    levels = np.random.default_rng(0).integers(0, 256, (600, 700, 3), np.uint8)
    Image.fromarray(levels).save(tmp_path / "a.png")
    (tmp_path / "bad.png").write_bytes(b"x" * 2_000_000)
    assert pixels_of(tmp_path / "a.png") == 420_000
    assert pixels_of(tmp_path / "bad.png") == pixels_of(tmp_path / "no.png") == 0
    monkeypatch.setattr(module, "_SMALL", 10**9)
    assert pixels_of(tmp_path / "a.png") == 0
