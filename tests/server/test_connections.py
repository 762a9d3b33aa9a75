"""Connections that do not go on: each has an end, and their number too."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable

import pytest

pytest.importorskip("uvicorn")

from serving import PATIENCE, SERVICE, Demo, serving

from adain.server import connections
from adain.server.connections import most_connections, quieted


def wait_until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)


def connected(demo: Demo) -> socket.socket:
    return socket.create_connection(("127.0.0.1", demo.port), PATIENCE)


def test_a_body_that_never_comes_is_not_waited_for() -> None:
    with serving("--no-access-log", program=SERVICE) as demo:
        for path in ("/healthz", "/v1/nothing"):
            with connected(demo) as connection:
                head = f"GET {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n"
                connection.sendall(head.encode())
                # To its end, which comes though the body does not.
                answer = b"".join(iter(lambda: connection.recv(65536), b""))
            assert answer.startswith(b"HTTP/1.1 ") and b"\r\n\r\n{" in answer
        with demo.client() as client:
            assert client.get("/healthz").status_code == 200
    assert demo.log == ""


def test_a_body_that_comes_late_leaves_the_connection_as_it_is() -> None:
    with serving(program=SERVICE) as demo, connected(demo) as connection:
        reader = connection.makefile("rb")
        for _ in range(2):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
            length = 0
            while (line := reader.readline().strip()) != b"":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split()[1])
            assert b"alive" in reader.read(length)
            connection.sendall(b"12345")


def test_an_answer_that_nobody_reads_ends() -> None:
    with serving("--timeout", "2", "--no-access-log", program=SERVICE) as demo:
        with connected(demo) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            # Answers of more bytes than lie in the buffers of both sides.
            connection.sendall(b"GET /v1/docs HTTP/1.1\r\nHost: a\r\n\r\n" * 500)
            connection.setblocking(False)

            def is_ended() -> bool:
                try:
                    connection.send(b"G")
                except BlockingIOError:
                    pass
                except OSError:
                    return True
                return False

            wait_until(is_ended)
        with demo.client() as client:
            assert client.get("/healthz").status_code == 200


def test_there_are_descriptors_for_all_connections() -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        most = most_connections()
        assert 8 <= most <= connections.MOST
        assert most <= resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_what_the_loop_says_again_and_again_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    loop = asyncio.new_event_loop()
    quieted(loop)
    for _ in range(1000):
        context = {"message": "accept failed", "exception": OSError(24, "Too many open files")}
        loop.call_exception_handler(context)
    loop.close()
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "Too many open files" in caplog.text and "Traceback" not in caplog.text
