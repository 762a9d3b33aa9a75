"""The tab for other people's programs: files as listed, snippets with the right address."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from visits import Visit

from adain.demo.tabs.embed import request_address


def test_the_files_can_be_downloaded_as_listed(visit: Visit) -> None:
    visit.tab("For developers")
    with visit.page.expect_download() as saved:
        visit.page.get_by_role("button", name="Download adain-fast.onnx").click()
    data = Path(saved.value.path()).read_bytes()
    assert hashlib.sha256(data).hexdigest() in visit.page.inner_text("#files")


def test_snippets_name_the_address_by_which_a_visitor_came(visit: Visit) -> None:
    visit.address = visit.address.replace("127.0.0.1", "localhost")
    visit.page.goto(visit.address)
    visit.tab("For developers")
    visit.page.locator("#snippets").get_by_role("tab", name="HTTP").first.click()
    shown = visit.page.locator("#snippets").get_by_text(f"{visit.address}v1/stylize")
    shown.first.wait_for()


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({"host": "art.example"}, "http://art.example"),
        ({"host": "art.example:81", "x-forwarded-proto": "https"}, "https://art.example:81"),
        ({"host": "[::1]:7860"}, "http://[::1]:7860"),
        ({"host": "a b; rm -rf"}, "otherwise"),
        ({"host": "art.example", "x-forwarded-proto": "javascript"}, "otherwise"),
        ({}, "otherwise"),
    ],
)
def test_the_address_of_a_request(headers: dict[str, str], address: str) -> None:
    assert request_address(headers, "otherwise") == address
