"""What a stranger can do to the service: ``python -m benchmarks.attack``.

Each attack meets a service of its own, which is asked for /healthz and for pictures meanwhile. The
table says what became of the attack, how much memory the service and its decoders took at most, how
long /healthz was silent at worst, and how many of the honest requests were answered.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import click
import httpx

from adain.cli.run import run
from adain.tables import markdown_table
from benchmarks import uploads
from benchmarks.processes import family, shared
from benchmarks.service import picture, serving

HONEST = 128  # pixels on a side
PACE = 0.1  # seconds between looks


@dataclass(frozen=True)
class Attack:
    """``send`` is given the address of a service that has ``options``; it says what came of it."""

    name: str
    send: Callable[[str], Awaitable[str]]
    options: tuple[str, ...] = ()


async def _post(address: str, count: int, **body: Any) -> str:
    """How ``count`` requests at a time are answered."""
    async with httpx.AsyncClient(timeout=120, trust_env=False) as client:
        path = body.pop("path", "/v1/stylize")
        answers = await asyncio.gather(
            *(client.post(address + path, **body) for _ in range(count)), return_exceptions=True
        )
    return _counted(answers)


def _counted(answers: list[Any]) -> str:
    kinds = Counter(
        a.status_code if isinstance(a, httpx.Response) else type(a).__name__ for a in answers
    )
    return ", ".join(f"{count} x {kind}" for kind, count in kinds.items())


def _file(make: Callable[[], bytes], count: int = 1) -> Callable[[str], Awaitable[str]]:
    async def send(address: str) -> str:
        files = {"content": ("a", make()), "style": ("b", picture(64, 0))}
        return await _post(address, count, files=files, data={"format": "jpeg"})

    return send


async def _json_without_login(address: str) -> str:
    body = b'{"data": [' + b"[]," * 6_500_000 + b"0]}"
    kind = {"Content-Type": "application/json"}
    return await _post(address, 6, path="/gradio_api/run/now", content=body, headers=kind)


async def _large_value(address: str) -> str:
    body = json.dumps({"data": ["x" * 19_000_000], "session_hash": "y" * 900_000}).encode()
    kind = {"Content-Type": "application/json"}
    return await _post(address, 3, path="/gradio_api/queue/join", content=body, headers=kind)


async def _bodies_that_never_come(address: str) -> str:
    """Requests that are answered early, whose bodies stay away; how many stay connected."""
    host, port = _place(address)
    head = b"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n"
    held = [socket.create_connection((host, port), 10) for _ in range(300)]
    for connection in held:
        connection.sendall(head)
        connection.setblocking(False)
    until = time.monotonic() + 15
    open_now = len(held)
    while open_now and time.monotonic() < until:
        await asyncio.sleep(0.5)
        open_now = sum(map(_is_open, held))
    for connection in held:
        connection.close()
    return f"{open_now} of {len(held)} connections still held after 15 s"


def _is_open(connection: socket.socket) -> bool:
    try:
        while data := connection.recv(65536):
            del data
        return False
    except BlockingIOError:
        return True
    except OSError:
        return False


async def _passwords(address: str) -> str:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        answers = [
            await client.get(f"{address}/v1/models", auth=("a", f"guess{number}"))
            for number in range(200)
        ]
    return _counted(answers)


async def _greedy(address: str) -> str:
    files = {"content": ("a", picture(512, 1)), "style": ("b", picture(64, 0))}
    return await _post(address, 120, files=files, data={"format": "jpeg"})


async def _styles(address: str) -> str:
    return await _post(address, 60, path="/v1/styles", files={"file": ("a", picture(64, 0))})


ATTACKS = (
    Attack("six JSON bodies of 20 MB without login", _json_without_login, ("--auth", "a:b")),
    Attack("a value of 19 MB, a session of 0.9 MB", _large_value),
    Attack("TIFF of 146 bytes, one tile of 25,600²", _file(uploads.huge_tile, 4)),
    Attack("16-bit gray with alpha, 6,300²", _file(uploads.deep_gray_with_alpha, 4)),
    Attack("JPEG of 12,000 scans", _file(lambda: uploads.many_scans(12_000), 4)),
    Attack("PNG of 30,000² in 1 kB", _file(uploads.HOSTILE["decompression bomb"][0], 8)),
    Attack("text of 200 MB within a PNG", _file(uploads.HOSTILE["swollen text"][0], 8)),
    Attack("300 bodies that never come", _bodies_that_never_come),
    Attack("200 passwords", _passwords, ("--auth", "a:b")),
    Attack("120 requests at once", _greedy),
    Attack("60 styles at once", _styles),
)


@dataclass
class Seen:
    """What was seen of a service meanwhile."""

    stall: float = 0.0
    memory: float = 0.0
    honest: int = 0
    asked: int = 0


async def watch(address: str, process: int, over: asyncio.Event, secured: bool) -> Seen:
    """Ask for /healthz and for pictures until it is over."""
    seen = Seen()

    async def health() -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=120) as client:
            while not over.is_set():
                started = time.monotonic()
                await client.get(f"{address}/healthz")
                seen.stall = max(seen.stall, time.monotonic() - started)
                seen.memory = max(seen.memory, sum(map(shared, family(process))))
                await asyncio.sleep(PACE)

    async def pictures() -> None:
        files = {"content": ("a", picture(HONEST, 3)), "style": ("b", picture(64, 0))}
        auth = httpx.BasicAuth("a", "b") if secured else None
        async with httpx.AsyncClient(trust_env=False, timeout=120, auth=auth) as client:
            while not over.is_set():
                seen.asked += 1
                answer = await client.post(f"{address}/v1/stylize", files=files)
                seen.honest += answer.status_code == 200
                await asyncio.sleep(PACE)

    await asyncio.gather(health(), pictures())
    return seen


async def meet(attack: Attack, port: int) -> tuple[str, Seen]:
    with serving(port, *attack.options) as (address, process):
        over = asyncio.Event()
        watching = asyncio.create_task(
            watch(address, process, over, secured="--auth" in attack.options)
        )
        await asyncio.sleep(1)
        try:
            outcome = await attack.send(address)
        finally:
            over.set()
        return outcome, await watching


def _place(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition("//")[2].partition(":")
    return host, int(port)


@click.command(
    epilog="\b\nExamples:\n"
    "  python -m benchmarks.attack\n"
    "  python -m benchmarks.attack --only TIFF\n"
)
@click.option("--port", type=click.IntRange(1, 65535), default=7862, show_default=True)
@click.option("--only", default="", help="Only attacks with this in their name.")
def attack(port: int, only: str) -> None:
    """Attack a service in ways that have stopped one, and print what came of it as a table."""
    header = ("attack", "outcome", "peak memory", "longest stall of /healthz", "honest requests")
    rows = []
    for each in ATTACKS:
        if only.lower() not in each.name.lower():
            continue
        outcome, seen = asyncio.run(meet(each, port))
        honest = f"{seen.honest} of {seen.asked}"
        rows.append((each.name, outcome, f"{seen.memory:.0f} MB", f"{seen.stall:.2f} s", honest))
    click.echo(markdown_table(header, rows))


if __name__ == "__main__":
    sys.exit(run(attack))
