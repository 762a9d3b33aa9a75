"""``adain demo``: what it needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("gradio")
pytest.importorskip("prometheus_client")

from serving import ROOT

from adain.cli import demo as module
from adain.cli.run import run


@pytest.mark.parametrize(
    ("missing", "options", "said"),
    [
        ("gradio", [], "pip install 'adain[demo]'"),
        ("prometheus_client", [], "pip install 'adain[demo]'"),
        ("mcp", ["--mcp"], "pip install 'gradio[mcp]'"),
    ],
)
def test_without_a_package_one_line_says_what_to_install(
    missing: str,
    options: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None if name == missing else object())
    assert run(module.demo, options) == 2
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert said in errors


def test_the_folder_demo_is_the_same_command() -> None:
    def help_of(*program: str) -> str:
        command = [sys.executable, "-m", *program, "--help"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        return done.stdout.partition("\n")[2]  # but for the name of the program

    assert "--mcp" in help_of("demo")
    assert help_of("demo") == help_of("adain", "demo")
