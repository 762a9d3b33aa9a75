"""What the middleware refuses: large bodies, strangers, other files, addresses, closed routes."""

from __future__ import annotations

import json
import random
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving import CALLS, JSON, ROOT, Demo, one_line, picture, serving

LIMIT = 1_000_000  # of the running demo's uploads
SECRET = Path("/etc/passwd")
META = {"_type": "gradio.FileData"}


# Files and addresses


class Canary:
    """An address that nothing may open."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}/secret.png"
        self.visits = 0
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.visits += 1
            connection.close()

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def canary() -> Iterator[Canary]:
    canary = Canary()
    yield canary
    assert canary.visits == 0
    canary.close()


def names(running: Demo, client: httpx.Client, address: str) -> list[Any]:
    [upload] = client.post("/gradio_api/upload", files={"files": ("a.png", picture())}).json()
    folder = Path(upload).parent
    paths = [
        str(SECRET),
        f"file://{SECRET}",
        "adain/demo/app.py",
        str(ROOT / "pyproject.toml"),
        f"{folder}/../../../..{SECRET}",
        f"{folder}/../../..",
        str(folder.parent),
        "",
        "\0",
        address,
        f"{address}?{upload}",
        f"/gradio_api/file={SECRET}",
        ["a"],
        7,
    ]
    found: list[Any] = []
    for path in paths:
        for more in ({}, {"meta": META}, {"meta": META, "url": address, "is_stream": True}):
            found.append({"path": path, **more})
    return found


def test_no_call_opens_what_was_not_uploaded(
    running: Demo, client: httpx.Client, canary: Canary
) -> None:
    sent = names(running, client, canary.address)
    for payload in sent:
        bodies = [
            (f"{CALLS}run/now", {"data": [payload]}),
            (f"{CALLS}call/sizes", {"data": [None, payload]}),
            (f"{CALLS}call/all", {"data": [[{"image": payload, "caption": None}]]}),
            (
                f"{CALLS}queue/join",
                {"data": [payload, None], "fn_index": 0, "session_hash": "s"},
            ),
            (f"{CALLS}run/now", {"data": [None], "event_data": {"value": payload}}),
            ("/gradio_api/call/v2/now", {"param_0": payload}),
        ]
        for path, body in bodies:
            answer = client.post(path, json=body)
            assert answer.status_code == 400, (path, body)
            assert one_line(answer) == "path: found a file that was not uploaded"
    # Of keys that are written twice, readers take the first or the last.
    twice = f'{{"data": [{{"path": "{SECRET}", "path": null}}]}}'
    answer = client.post(f"{CALLS}run/now", content=twice, headers=JSON)
    assert "root:" not in answer.text


def test_addresses_beside_an_upload_are_not_opened(client: httpx.Client, canary: Canary) -> None:
    [path] = client.post("/gradio_api/upload", files={"files": ("a.png", picture(30, 20))}).json()
    for payload in (
        {"path": path, "url": canary.address, "meta": META},
        {"path": path, "url": f"file://{SECRET}"},
        {"path": path, "url": f"http://127.0.0.1/gradio_api/file={path}", "orig_name": "../a"},
    ):
        answer = client.post(f"{CALLS}run/now", json={"data": [payload]})
        assert answer.json()["data"] == ["30x20"]
    answer = client.post(f"{CALLS}run/now", json={"data": [{"url": canary.address, "meta": META}]})
    assert canary.address not in answer.text


def test_the_page_works_within_these_bounds(client: httpx.Client) -> None:
    [path] = client.post("/gradio_api/upload", files={"files": ("a.png", picture(30, 20))}).json()
    payload = {"path": path, "url": f"{client.base_url}gradio_api/file={path}", "meta": META}
    event = client.post(f"{CALLS}call/sizes", json={"data": [payload, payload]}).json()["event_id"]
    answer = client.get(f"{CALLS}call/sizes/{event}")
    assert 'event: complete\ndata: ["30x20 30x20"]' in answer.text
    body = {"data": [[{"image": payload, "caption": None}]], "fn_index": 2, "session_hash": "t"}
    client.post(f"{CALLS}queue/join", json=body).raise_for_status()
    with client.stream("GET", "/gradio_api/queue/data?session_hash=t") as events:
        assert any('"data":["30x20"]' in line for line in events.iter_lines())
    assert client.get("/").status_code == 200
    assert client.get("/config").status_code == 200


READS = [
    f"/gradio_api/file={SECRET}",
    f"/gradio_api/file=../../../../../../..{SECRET}",
    "/gradio_api/file=adain/demo/app.py",
    f"/gradio_api/file={ROOT}/pyproject.toml",
    f"/gradio_api/file=%2e%2e%2f%2e%2e%2f%2e%2e{SECRET}",
    f"/gradio_api/file=file://{SECRET}",
    f"/gradio_api/file/{SECRET}",
    f"/file={SECRET}",
    "/static/../../../routes.py",
    "/static/%2e%2e/%2e%2e/%2e%2e/routes.py",
    "/assets/..%2f..%2f..%2froutes.py",
    f"/assets/{SECRET}",
    f"/svelte/{SECRET}",
    "/pwa_icon/../../routes.py",
    "/?deep_link=../../../etc",
]


@pytest.mark.parametrize("path", READS)
def test_no_route_reads_other_files(running: Demo, path: str) -> None:
    with socket.create_connection(("127.0.0.1", running.port)) as connection:  # as it is written
        request = f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        connection.sendall(request.encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    status = int(answer.split()[1])
    assert b"root:" not in answer
    assert b"mount_gradio_app" not in answer
    assert b"[build-system]" not in answer
    assert status in (403, 404) or path.startswith("/?")


CLOSED = [
    ("GET", "proxy=https://a.hf.space/x"),
    ("POST", "component_server"),
    ("POST", "process_recording"),
    ("POST", "vibe-edit/"),
    ("POST", "undo-vibe-edit"),
    ("GET", "vibe-code"),
    ("POST", "vibe-starter-queries"),
    ("GET", "dev/reload"),
    ("GET", "deep_link?session_hash=a"),
    ("GET", "runs"),
    ("GET", "run-history/records"),
    ("POST", "run-history/connect"),
    ("POST", "stream/a"),
    ("GET", "stream/a/b/1/playlist.m3u8"),
    ("GET", "custom_component/a/client/component/x.js"),
    ("GET", "profiling/traces"),
    ("GET", "mcp/sse"),
    ("POST", "mcp/"),
    ("GET", "call/sizes/nobody"),
    ("GET", "queue/data?session_hash=nobody"),
    ("GET", "../monitoring"),
    ("GET", "../monitoring/summary"),
    ("GET", "../%67radio_api/proxy=https://a.hf.space/x"),
]


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_routes_that_the_page_does_not_need_are_closed(
    client: httpx.Client, method: str, path: str
) -> None:
    answer = client.request(
        method, f"/gradio_api/{path}", **({"json": {}} if method == "POST" else {})
    )
    assert answer.status_code == 404
    one_line(answer)


def test_no_address_is_opened_for_a_reader(client: httpx.Client, canary: Canary) -> None:
    assert client.get(f"/gradio_api/file={canary.address}").status_code == 403
    assert client.get(f"/gradio_api/file/{canary.address}").status_code == 404
    for fields in ({"style_id": canary.address}, {"content": canary.address}):
        files = {"style": picture(), "content": picture()}
        files.pop("style" if "style_id" in fields else "content")
        assert client.post("/v1/stylize", files=files, data=fields).status_code in (400, 422)


# Bodies


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


# A name and a password


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
