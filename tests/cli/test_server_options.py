"""The options of `adain serve` and `adain demo`, and how their mistakes are told."""

from __future__ import annotations

import re
import signal
import socket
from collections.abc import Iterator

import pytest

pytest.importorskip("gradio")
pytest.importorskip("prometheus_client")

from adain.cli.demo import demo
from adain.cli.run import run
from adain.cli.server_options import BYTES, PIXELS
from adain.server import launch


@pytest.fixture
def only_parsing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The program up to where it would serve; its handlers of signals go with the test."""
    monkeypatch.setattr(launch, "serve", lambda *_: pytest.fail("it serves"))
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
