"""``adain demo``: what it needs."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from importlib import metadata

import pytest

pytest.importorskip("gradio")
pytest.importorskip("prometheus_client")

from serving import ROOT

from adain.cli import demo as module
from adain.cli.run import run
from adain.server.launch import free_port


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


def test_the_folder_demo_is_a_space_of_the_hub() -> None:
    hub = pytest.importorskip("huggingface_hub")
    space = ROOT / "demo"
    about = hub.RepoCard.load(space / "README.md", ignore_metadata_errors=False).data.to_dict()
    bound = next(r for r in metadata.requires("adain") or [] if r.startswith("gradio<"))
    assert about["sdk"] == "gradio" and about["sdk_version"].rpartition(".")[0] in bound
    assert (space / "requirements.txt").read_text() == "adain[cpu,demo]\n"
    port = free_port("127.0.0.1", 7870)
    begun = subprocess.Popen(
        [sys.executable, about["app_file"]],
        cwd=space,
        env=os.environ | {"ADAIN_DEMO_PORT": str(port), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said = ""
        while f":{port}" not in said:
            line = begun.stdout.readline()
            assert line, said
            said += line
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
            assert b"Arbitrary style transfer" in answer.read()
    finally:
        begun.terminate()
        begun.communicate()
