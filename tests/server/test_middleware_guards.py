"""What the middleware does before a request is let in: login, HEAD, origins, loading."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import httpx
import pytest
from serving import CALLS, JSON, PATIENCE, SERVICE, Demo, one_line, picture, serving


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/metrics", "/v1/models", "/v1/docs"])
def test_head_is_answered_as_get_is(client: httpx.Client, path: str) -> None:
    head, get = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    assert client.head("/v1/stylize").status_code == 405


def test_nothing_of_a_body_is_kept_before_the_login() -> None:
    with serving("--auth", "a:b", "--auth", "c:d") as demo, demo.client() as client:
        before = demo_memory(demo)
        body = b'{"data": [' + b"[]," * 6_000_000 + b"0]}"
        for path in ("run/now", "queue/join", "call/sizes", "cancel"):
            answer = client.post(f"{CALLS}{path}", content=body, headers=JSON)
            assert answer.status_code in (401, 413)
            one_line(answer)
        assert demo_memory(demo) < before + 60e6
        for path in ("heartbeat/abc", "queue/data?session_hash=a", "file=/etc/passwd"):
            assert client.get(f"{CALLS}{path}").status_code == 401
        # Both users, and then the page as ever.
        for name, password in (("a", "b"), ("c", "d")):
            form = {"username": name, "password": password}
            assert client.post("/login", data=form).status_code == 200
            call = client.post(f"{CALLS}run/now", json={"data": [None]})
            assert call.status_code == 200
            client.cookies.clear()


def demo_memory(demo: Demo) -> float:
    return httpx_number(demo, "process_resident_memory_bytes")


def httpx_number(demo: Demo, name: str) -> float:
    with demo.client(auth=("a", "b")) as client:
        lines = client.get("/metrics").text.splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(f"{name} ")))


def test_passwords_cannot_be_guessed_for_long() -> None:
    with serving("--auth", "a:b") as demo, demo.client() as client:
        form = {"username": "a", "password": "guess"}
        statuses = [client.post("/login", data=form).status_code for _ in range(30)]
        assert statuses == [400] * 20 + [429] * 10
        answer = client.get("/v1/models", auth=("a", "b"))
        assert answer.status_code == 429 and int(answer.headers["retry-after"]) <= 60
        assert client.get("/healthz").status_code == 200
    assert demo.log.count("a wrong name or password from 127.0.0.1") == 20
    assert "guess" not in demo.log


def test_no_other_origin_reads_answers(client: httpx.Client) -> None:
    origin = {"Origin": "https://evil.example"}
    for path in ("/", "/config", "/gradio_api/info", "/v1/models"):
        answer = client.get(path, headers=origin)
        assert not [name for name in answer.headers if name.startswith("access-control")]
    asked = {**origin, "Access-Control-Request-Method": "POST"}
    assert client.options(f"{CALLS}run/now", headers=asked).status_code == 405


def test_values_that_are_no_choice_are_not_logged_whole() -> None:
    with serving() as demo, demo.client() as client:
        for data in (["x" * 5_000_000], [{"path": None, "meta": "y" * 5_000_000}]):
            body = json.dumps({"data": data, "fn_index": 1}).encode()
            client.post(f"{CALLS}run/now", content=body, headers=JSON)
    assert len(demo.log) < 50_000


def test_stalled_forms_are_counted() -> None:
    with serving("--queue", "3", program=SERVICE) as demo, demo.client() as client:
        head = "POST /v1/styles HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n"
        head += "Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
        stalled = []
        until = time.monotonic() + PATIENCE
        while True:  # one client may have three of the four
            stalled.append(socket.create_connection(("127.0.0.1", demo.port), PATIENCE))
            stalled[-1].sendall(head.encode())
            answer = client.post("/v1/styles", files={"file": ("a.png", picture())})
            if answer.status_code == 503:
                break
            assert time.monotonic() < until
        assert "too many requests that arrive" in one_line(answer)
        assert len(stalled) >= 3
        for connection in stalled:
            connection.close()
        until = time.monotonic() + PATIENCE
        while client.post("/v1/styles", files={"file": picture()}).status_code != 200:
            assert time.monotonic() < until


LOADING = """
import sys, time
from pathlib import Path
from adain.cli.main import main
from adain.server.engine import Engine
start = Engine.start
def late(self):
    while not Path({path!r}).exists():
        time.sleep(0.05)
    start(self)
Engine.start = late
sys.argv[1:1] = ["serve"]
main()
"""


def test_it_is_not_ready_before_it_has_loaded(tmp_path: Path) -> None:
    go = tmp_path / "go"
    demo = Demo(program=("-c", LOADING.format(path=str(go))))
    try:
        with demo.client() as client:
            until = time.monotonic() + PATIENCE
            while True:
                try:
                    assert client.get("/healthz").status_code == 200
                    break
                except httpx.TransportError:
                    assert time.monotonic() < until
                    time.sleep(0.05)
            answer = client.get("/readyz")
            assert answer.status_code == 503 and "loading" in one_line(answer)
            go.touch()
            assert client.get("/v1/models").status_code == 200  # which waits
            demo.wait_until_ready()
            assert client.get("/readyz").status_code == 200
        assert demo.stop() == 0
    finally:
        demo.process.kill()


def test_it_can_be_stopped_while_it_loads(tmp_path: Path) -> None:
    demo = Demo(program=("-c", LOADING.format(path=str(tmp_path / "never"))))
    try:
        with demo.client() as client:
            until = time.monotonic() + PATIENCE
            while True:
                try:
                    client.get("/healthz")
                    break
                except httpx.TransportError:
                    assert time.monotonic() < until
                    time.sleep(0.05)
        assert demo.stop() == 0
        assert "Traceback" not in demo.log
    finally:
        demo.process.kill()
