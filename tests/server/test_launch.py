"""The server process: its port."""

from __future__ import annotations

import socket

import pytest

from adain import AdaINError
from adain.server.launch import PORTS, bind_socket, free_port


def test_a_port_is_had_once() -> None:
    with bind_socket("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(AdaINError, match=f"cannot listen on 127.0.0.1:{port} .*--port"):
            bind_socket("127.0.0.1", port)
    with socket.socket() as probe:  # and given back
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


def test_a_host_that_nobody_knows_is_one_line() -> None:
    with pytest.raises(AdaINError, match=r"nowhere\.invalid:80 .*--host") as caught:
        bind_socket("nowhere.invalid", 80)
    assert "\n" not in str(caught.value)


def test_the_next_port_is_taken_where_one_is_in_use() -> None:
    with bind_socket("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        free = free_port("127.0.0.1", port)
        assert port < free < port + PORTS
    assert free_port("127.0.0.1", port) == port
