"""What a page does all day: the same pictures at another strength, and requests given up."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from serving import PATIENCE, application, picture

from adain.server.decoding.pool import Decoders
from adain.server.engine import Engine
from adain.server.settings import Settings
from adain.sessions import Sessions

Files = list[tuple[str, tuple[str | None, bytes]]]


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine(Settings(timeout=PATIENCE), "cpu", beside=0)
    yield engine
    engine.close()


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often pictures were decoded and parts of the network run."""
    counter: Counter[str] = Counter()
    run, decode = Sessions.run, Decoders.decode

    def counted_run(self: Sessions, part: str, *rest: Any, **options: Any) -> Any:
        counter[part] += 1
        return run(self, part, *rest, **options)

    def counted_decode(self: Decoders, *rest: Any) -> Any:
        counter["decoded"] += 1
        return decode(self, *rest)

    monkeypatch.setattr(Sessions, "run", counted_run)
    monkeypatch.setattr(Decoders, "decode", counted_decode)
    return counter


def content() -> Files:
    return [("content", ("a.png", picture(90, 60, 1)))]


def styles(*seeds: int) -> Files:
    return [("style", ("b.png", picture(60, 70, seed))) for seed in seeds]


@pytest.mark.parametrize(
    "files",
    [
        [*content(), *styles(2)],
        [*content(), *styles(2, 3), ("weight", (None, b"1")), ("weight", (None, b"2"))],
        [*content(), *styles(2, 3), *[("mask", ("c.png", picture(9, 9, n))) for n in (4, 5)]],
        [*content(), ("style_id", (None, b"night")), ("brush", (None, b"1.5"))],
        [("content_id", (None, b"city")), *styles(2), ("max_side", (None, b"90"))],
    ],
    ids=["one", "mixture", "masks", "brush", "by name"],
)
def test_another_strength_costs_one_pass_of_the_decoder(
    engine: Engine, work: Counter[str], files: Files
) -> None:
    app = application(engine)

    async def ask() -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
            for number, alpha in enumerate((b"1", b"0.5", b"0.25")):
                if number == 1:
                    work.clear()
                sent = [*files, ("alpha", (None, alpha))]
                answer = await client.post("/v1/stylize", files=sent)
                assert answer.status_code == 200, answer.text

    asyncio.run(ask())
    assert work == {"decoder": 2}


def test_a_request_that_is_given_up_leaves_the_queue(engine: Engine, work: Counter[str]) -> None:
    app = application(engine)
    busy = threading.Event()
    running = engine.queue.submit(lambda: busy.wait(PATIENCE))
    request = httpx.Request("POST", "http://a/v1/stylize", files=[*content(), *styles(2)])
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/stylize",
        "query_string": b"",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
    }
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": request.read()}]
    lengths, sent = [], []

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        while engine.queue.length < 2:  # it has come to the queue, behind what runs
            await asyncio.sleep(0)
        lengths.append(engine.queue.length)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    try:
        asyncio.run(app(scope, receive, send))
        assert lengths == [2]
        assert sent[0]["status"] == 499
        assert engine.queue.length == 1
    finally:
        busy.set()
    running.result(PATIENCE)
    assert work == {}
