"""The process: its options, its limits under load, its end."""

from __future__ import annotations

import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from serving import PATIENCE, Demo, picture, serving
from tiny_demo import HOLD, SLOW

from adain.cli.demo import demo
from adain.cli.run import run
from adain.cli.server_options import BYTES, PIXELS
from adain.server import serving as serving_module
from adain.server.settings import Settings

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


def wait_for_line(demo: Demo, length: int) -> None:
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


def test_a_full_line_and_late_answers(hold: Path) -> None:
    with serving("--queue", "1", "--timeout", "4", **{HOLD: str(hold)}) as demo:
        slow = in_background(lambda: stylize(demo, SLOW_PICTURE))
        wait_for_line(demo, 1)
        second = in_background(lambda: stylize(demo, QUICK_PICTURE))
        wait_for_line(demo, 2)
        full = stylize(demo, QUICK_PICTURE)
        assert full.status_code == 503
        assert "2 requests are in line" in full.json()["error"]
        assert 1 <= int(full.headers["retry-after"]) <= 60
        for late in (slow.result(PATIENCE), second.result(PATIENCE)):
            assert late.status_code == 503
            assert "no result after 4 seconds" in late.json()["error"]
            assert int(late.headers["retry-after"]) >= 1
        wait_for_line(demo, 1)  # nobody can take the picture off the device
        hold.unlink()
        wait_for_line(demo, 0)
        assert stylize(demo, QUICK_PICTURE).status_code == 200
        assert demo.number("adain_pictures_total") == 2


def test_a_client_that_goes_leaves_the_line(hold: Path) -> None:
    with serving(**{HOLD: str(hold)}) as demo:
        slow = in_background(lambda: stylize(demo, SLOW_PICTURE))
        wait_for_line(demo, 1)
        files = {"content": ("a.png", QUICK_PICTURE), "style": ("b.png", QUICK_PICTURE)}
        for _ in range(5):
            with demo.client(timeout=0.3) as leaving, pytest.raises(httpx.ReadTimeout):
                leaving.post("/v1/stylize", files=files)
        wait_for_line(demo, 1)
        hold.unlink()
        assert slow.result(PATIENCE).status_code == 200
        assert demo.number("adain_pictures_total") == 1


def test_half_a_request_is_not_waited_for() -> None:
    with serving("--timeout", "1") as demo:
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
    with serving("--queue", "8", **{HOLD: str(hold)}) as demo:
        running = in_background(lambda: stylize(demo, SLOW_PICTURE))
        wait_for_line(demo, 1)
        waiting = [in_background(lambda: stylize(demo, QUICK_PICTURE)) for _ in range(6)]
        wait_for_line(demo, 7)
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
        with pytest.raises(httpx.ConnectError):
            stylize(demo, QUICK_PICTURE)
        assert demo.process.poll() is None
        started = time.monotonic()
        hold.unlink()
        assert demo.process.wait(PATIENCE) == 0
        assert time.monotonic() - started < 10
        assert running.result(1).status_code == 200
        for stream in streams:
            stream.close()
        browser.close()
        asleep.close()


COUNT = {"data": [], "fn_index": 3, "session_hash": "abc"}


def test_a_name_and_password() -> None:
    with serving("--auth", "zoë:pass word") as demo:
        right, wrong = ("zoë", "pass word"), ("zoë", "other")
        for path in ("/v1/models", "/v1/docs", "/v1/openapi.json", "/metrics"):
            for auth in (None, wrong):
                answer = get(demo, path, auth)
                assert answer.status_code == 401
                assert set(answer.json()) == {"error"}
                assert answer.headers["www-authenticate"].startswith("Basic ")
            assert get(demo, path, right).status_code == 200
        with demo.client() as client:
            odd = client.get("/v1/models", headers={"Authorization": "Basic !"})
            assert odd.status_code == 401
            for path in ("/healthz", "/readyz"):
                assert client.get(path).status_code == 200
            files = {"file": ("a.png", picture())}
            assert client.post("/v1/styles", files=files).status_code == 401
            assert client.get("/config").status_code == 401
            assert client.post("/gradio_api/upload", files={"files": b"a"}).status_code == 401
            call = client.post("/gradio_api/run/now", json={"data": [None]})
            assert call.status_code == 401
            form = {"username": "zoë", "password": "other"}
            assert client.post("/login", data=form).status_code == 400
            form = {"username": "zoë", "password": "pass word"}
            assert client.post("/login", data=form).status_code == 200
            assert client.get("/config").status_code == 200


def get(demo: Demo, path: str, auth: tuple[str, str] | None) -> httpx.Response:
    encoded = None if auth is None else httpx.BasicAuth(*(part.encode() for part in auth))
    with demo.client(auth=encoded) as client:
        return client.get(path)


@pytest.fixture
def only_parsing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The program up to where it would serve; its handlers of signals go with the test."""
    monkeypatch.setattr(serving_module, "serve", lambda *_: pytest.fail("it serves"))
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--max-upload", "lots"], "lots"),
        (["--max-upload", "0"], "'0'"),
        (["--max-pixels", "40X"], "40X"),
        (["--auth", "nobody"], "colon"),
        (["--auth", ":secret"], "colon"),
        (["--queue", "-1"], "-1"),
        (["--workers", "0"], "0"),
        (["--timeout", "0"], "0"),
        (["--timeout", "nan"], "nan"),
        (["--port", "70000"], "70000"),
        (["--host", "nowhere.invalid"], "nowhere.invalid"),
    ],
)
@pytest.mark.usefixtures("only_parsing")
def test_bad_options_are_one_line(
    options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(demo, options) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert said in captured.err


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:7860/"),
        ("0.0.0.0", "http://localhost:7860/"),
        ("::", "http://localhost:7860/"),
        ("::1", "http://[::1]:7860/"),
        ("[::1]", "http://[::1]:7860/"),
    ],
)
def test_the_address_of_a_host(host: str, address: str) -> None:
    assert Settings(host=host).address == address


def test_amounts() -> None:
    for text, amount in (("20MB", 20_000_000), ("1.5mb", 1_500_000), ("500 kB", 500_000)):
        assert BYTES.convert(text, None, None) == amount
    assert PIXELS.convert("40M", None, None) == 40_000_000


@pytest.mark.usefixtures("only_parsing")
def test_a_taken_port_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run(demo, ["--port", str(port)]) == 2
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert re.search(rf"127\.0\.0\.1:{port}.*--port", errors)
