"""What is sent to do harm: broken pictures, large bodies, and too many of them."""

from __future__ import annotations

import json
import random
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from serving import CALLS, Demo, one_line, picture, pixels

from adain.server.uploads import Uploads
from benchmarks.uploads import HOSTILE, mutated

LIMIT = 1_000_000  # of the running demo's uploads


def stylize(client: httpx.Client, data: bytes, name: str = "a.png") -> httpx.Response:
    files = {"content": (name, data), "style": ("b.png", picture(32, 32))}
    return client.post("/v1/stylize", files=files)


# Pictures


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
        assert "adain-demo-" in path
        assert ".." not in path
        assert client.get(f"/gradio_api/file={quote(path)}").content == picture()


def test_damaged_pictures(running: Demo, client: httpx.Client) -> None:
    statuses = {stylize(client, mutated(seed)).status_code for seed in range(200)}
    assert statuses == {200, 400}
    assert running.number("adain_queue_length") == 0


# Sizes


@pytest.mark.parametrize(
    ("path", "field", "limit"),
    [
        ("/v1/stylize", "content", 2 * LIMIT),
        ("/v1/styles", "file", LIMIT),
        ("/gradio_api/upload", "files", LIMIT),
    ],
)
def test_large_bodies_are_refused_as_they_come(
    running: Demo, client: httpx.Client, path: str, field: str, limit: int
) -> None:
    head = f'--x\r\nContent-Disposition: form-data; name="{field}"; filename="a"\r\n\r\n'
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        yield head.encode()
        while taken < 20 * limit:
            taken += 100_000
            yield bytes(100_000)
        yield b"\r\n--x--\r\n"

    answer = client.post(path, content=endless(), headers=kind)
    assert answer.status_code == 413
    declared = {**kind, "Content-Length": str(10 * limit)}
    with socket.create_connection(("127.0.0.1", running.port)) as connection:
        lines = "".join(f"{name}: {value}\r\n" for name, value in declared.items())
        request = f"POST {path} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n{lines}\r\n"
        connection.sendall(request.encode())
        assert b" 413 " in connection.makefile("rb").readline()


def test_a_file_within_a_large_form_is_measured(client: httpx.Client) -> None:
    answer = stylize(client, picture() + bytes(LIMIT + 1))
    assert answer.status_code == 413
    assert "content" in one_line(answer)


def test_other_bodies_are_small(client: httpx.Client) -> None:
    for path in ("/login", "/gradio_api/cancel", "/v1/models"):
        answer = client.post(path, content=bytes(2 * LIMIT))
        assert answer.status_code in (405, 413)
    nested = b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    for body in (nested, b"[]", b"null", b'"x"', b"{", b"\xff", b'{"data": 7}'):
        answer = client.post(
            f"{CALLS}run/now", content=body, headers={"Content-Type": "application/json"}
        )
        assert 400 <= answer.status_code < 500


def test_mutated_calls_leave_no_trace(running: Demo, client: httpx.Client) -> None:
    sound = json.dumps({"data": [None], "fn_index": 1, "session_hash": "f"}).encode()
    rng = random.Random(0)
    for _ in range(60):
        body = bytearray(sound)
        for _ in range(rng.randint(1, 4)):
            body[rng.randrange(len(body))] = rng.randrange(256)
        answer = client.post(f"{CALLS}queue/join", content=bytes(body))
        assert answer.status_code < 500
    assert client.get("/readyz").status_code == 200


# What stays


def test_old_uploads_go_and_the_rest_fits(tmp_path: Path) -> None:
    def put(name: str, size: int, age: float) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(size))
        return path

    uploads = Uploads(tmp_path, keep=2, limit=100)
    offered = put("offered/a.png", 500, 0)
    uploads.keep_what_is_here()
    old = put("old/a.png", 10, 0)
    time.sleep(2.1)  # the time of a change cannot be set
    young = [put(f"young{number}/a.png", 40, 0) for number in range(2)]
    uploads.sweep()
    assert not old.exists()
    assert not old.parent.exists()
    assert offered.exists() and all(path.exists() for path in young)
    time.sleep(0.02)
    last = put("last/a.png", 90, 0)
    uploads.sweep()
    assert last.exists() and offered.exists()
    assert not any(path.exists() for path in young)


def test_only_what_lies_in_the_folder_is_held(tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    folder.mkdir()
    (tmp_path / "uploads-other").mkdir()
    (folder / "link").symlink_to("/etc/passwd")
    uploads = Uploads(folder, 10, 10)
    assert uploads.holds(f"{folder}/a/b.png")
    for path in (folder, f"{folder}-other/a", f"{folder}/../a", f"{folder}/link", "a", "", "\0"):
        assert not uploads.holds(str(path))


def test_pictures_come_back_whole_after_all_this(client: httpx.Client) -> None:
    assert pixels(stylize(client, picture(70, 50)).content).shape == (50, 70, 3)
