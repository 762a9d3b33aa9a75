"""The HTTP server under load: a full queue, slow clients, clients that go, and its end."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from serving import PATIENCE, Demo, picture, serving
from tiny_demo import HOLD, SLOW

SLOW_PICTURE = picture(SLOW, 20)
QUICK_PICTURE = picture(SLOW + 1, 20)


def stylize(demo: Demo, content: bytes) -> httpx.Response:
    with demo.client() as client:
        files = {"content": ("a.png", content), "style": ("b.png", picture(20, 20))}
        return client.post("/v1/stylize", files=files)


def in_background(call: Callable[[], httpx.Response]) -> Future[httpx.Response]:
    executor = ThreadPoolExecutor(1)
    future = executor.submit(call)
    executor.shutdown(wait=False)
    return future


def wait_for_length(demo: Demo, length: int) -> None:
    until = time.monotonic() + PATIENCE
    while demo.number("adain_queue_length") != length:
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.fixture
def hold(tmp_path: Path) -> Path:
    """While it is there, SLOW_PICTURE stays on the device."""
    path = tmp_path / "hold"
    path.touch()
    return path


def test_a_full_queue(hold: Path) -> None:
    with serving("--queue", "1", "--timeout", "600", **{HOLD: str(hold)}) as demo:
        slow = in_background(lambda: stylize(demo, SLOW_PICTURE))
        wait_for_length(demo, 1)
        second = in_background(lambda: stylize(demo, QUICK_PICTURE))
        wait_for_length(demo, 2)
        full = stylize(demo, QUICK_PICTURE)
        assert full.status_code == 503
        assert "2 requests are in line" in full.json()["error"]
        assert 1 <= int(full.headers["retry-after"]) <= 60
        hold.unlink()
        for answer in (slow.result(PATIENCE), second.result(PATIENCE)):
            assert answer.status_code == 200
        assert stylize(demo, QUICK_PICTURE).status_code == 200
        assert demo.number("adain_pictures_total") == 3


def test_late_answers(hold: Path) -> None:
    with serving("--timeout", "4", **{HOLD: str(hold)}) as demo:
        slow = in_background(lambda: stylize(demo, SLOW_PICTURE))
        wait_for_length(demo, 1)
        second = in_background(lambda: stylize(demo, QUICK_PICTURE))
        for late in (slow.result(PATIENCE), second.result(PATIENCE)):
            assert late.status_code == 503
            assert "no result after 4 seconds" in late.json()["error"]
            assert int(late.headers["retry-after"]) >= 1
        wait_for_length(demo, 1)  # nobody can take the picture off the device
        hold.unlink()
        wait_for_length(demo, 0)
        assert demo.number("adain_pictures_total") == 1  # nobody computes what nobody waits for
        until = time.monotonic() + PATIENCE
        while stylize(demo, QUICK_PICTURE).status_code != 200:  # 503 where that takes 4 seconds
            assert time.monotonic() < until


def test_a_client_that_goes_leaves_the_queue(hold: Path) -> None:
    with serving("--timeout", "600", **{HOLD: str(hold)}) as demo:
        slow = in_background(lambda: stylize(demo, SLOW_PICTURE))
        wait_for_length(demo, 1)
        files = {"content": ("a.png", QUICK_PICTURE), "style": ("b.png", QUICK_PICTURE)}
        request = httpx.Request("POST", f"{demo.address}/v1/stylize", files=files)
        lines = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        head = f"POST /v1/stylize HTTP/1.1\r\n{lines}\r\n".encode()
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", demo.port), PATIENCE) as leaving:
                leaving.sendall(head + request.read())
                wait_for_length(demo, 2)
            wait_for_length(demo, 1)
        hold.unlink()
        assert slow.result(PATIENCE).status_code == 200
        assert demo.number("adain_pictures_total") == 1


def test_half_a_request_is_not_waited_for() -> None:
    with serving("--timeout", "2") as demo:
        with socket.create_connection(("127.0.0.1", demo.port), PATIENCE) as connection:
            head = "POST /v1/styles HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n"
            kind = "Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
            connection.sendall((head + kind).encode())
            assert b" 408 " in connection.makefile("rb").readline()
        with socket.create_connection(("127.0.0.1", demo.port), PATIENCE) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHo")
            assert connection.recv(1) == b""  # closed


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_running_picture_finish(number: int, hold: Path) -> None:
    options = ("--queue", "8", "--timeout", "600", "--drain", "600")
    with serving(*options, **{HOLD: str(hold)}) as demo:
        running = in_background(lambda: stylize(demo, SLOW_PICTURE))
        wait_for_length(demo, 1)
        waiting = [in_background(lambda: stylize(demo, QUICK_PICTURE)) for _ in range(6)]
        wait_for_length(demo, 7)
        browser = demo.client()
        heartbeat = browser.build_request("GET", "/gradio_api/heartbeat/abc")
        streams = [browser.send(heartbeat, stream=True)]
        browser.post("/gradio_api/queue/join", json=COUNT).raise_for_status()
        events = browser.build_request("GET", "/gradio_api/queue/data?session_hash=abc")
        streams.append(browser.send(events, stream=True))
        assert next(streams[-1].iter_text())
        asleep = socket.create_connection(("127.0.0.1", demo.port))
        demo.process.send_signal(number)
        for future in waiting:
            answer = future.result(PATIENCE)
            assert answer.status_code == 503
            assert "stopping" in answer.json()["error"]
        with demo.client() as late:  # a balancer looks before it sends others
            for path, status in (("/readyz", 503), ("/healthz", 200), ("/v1/models", 503)):
                assert late.get(path).status_code == status
        assert demo.process.poll() is None
        hold.unlink()
        # Its streams would go on for longer.
        assert demo.process.wait(PATIENCE) == 0
        assert running.result(PATIENCE).status_code == 200
        for stream in streams:
            stream.close()
        browser.close()
        asleep.close()


COUNT = {"data": [], "fn_index": 3, "session_hash": "abc"}
