"""What the service makes of pictures as hostile and as broken as they come."""

from __future__ import annotations

import tempfile
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from serving import Demo, one_line, picture, pixels

from benchmarks.uploads import HOSTILE, mutated_picture

LIMIT = 1_000_000  # of the running demo's uploads


def stylize(client: httpx.Client, data: bytes, name: str = "a.png") -> httpx.Response:
    files = {"content": (name, data), "style": ("b.png", picture(32, 32))}
    return client.post("/v1/stylize", files=files)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pictures(client: httpx.Client, name: str) -> None:
    make, status = HOSTILE[name]
    data = make()
    answer = stylize(client, data)
    assert answer.status_code == status
    if status != 200:
        assert one_line(answer).startswith("content: ")
    encoded = client.post("/v1/styles", files={"file": ("a.png", data)})
    assert encoded.status_code in (200, 400)


@pytest.mark.parametrize("name", ["../../../tmp/evil.png", "/etc/passwd", "a\0b", "x" * 3000, ""])
def test_names_of_files_say_nothing(client: httpx.Client, name: str) -> None:
    if name:
        assert stylize(client, picture(40, 30), name).status_code == 200
    else:  # a field without a name is no file
        assert stylize(client, picture(40, 30), name).status_code in (200, 422)
    answer = client.post("/gradio_api/upload", files={"files": (name or "a", picture())})
    if answer.status_code == 200:
        [path] = answer.json()
        assert Path(path).is_relative_to(Path(tempfile.gettempdir()).resolve())
        assert "/adain-" in path
        assert ".." not in path
        assert client.get(f"/gradio_api/file={quote(path)}").content == picture()


def test_damaged_pictures(running: Demo, client: httpx.Client) -> None:
    statuses = {stylize(client, mutated_picture(seed)).status_code for seed in range(200)}
    assert statuses == {200, 400}
    assert running.number("adain_queue_length") == 0


def test_a_file_within_a_large_form_is_measured(client: httpx.Client) -> None:
    answer = stylize(client, picture() + bytes(LIMIT + 1))
    assert answer.status_code == 413
    assert "content" in one_line(answer)


def test_pictures_come_back_whole_after_all_this(client: httpx.Client) -> None:
    assert pixels(stylize(client, picture(70, 50)).content).shape == (50, 70, 3)
