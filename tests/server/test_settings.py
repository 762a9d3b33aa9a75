"""The settings of a server: its address."""

from __future__ import annotations

import pytest

from adain.server.settings import Settings


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
