"""``adain serve``: the service in a process of its own, without Gradio."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("prometheus_client")

import numpy as np
from serving import ROOT, SERVICE, one_line, picture, pixels, serving

from adain import Stylizer
from adain.cli import serve as module
from adain.cli.run import run

# As where it is not installed.
WITHOUT_GRADIO = """
import importlib.abc
import sys


class Refusing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("gradio", "gradio_client"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Refusing())
"""
IMPORTS = """
import sys
import adain.cli.main, adain.cli.serve, adain.server.launch, adain.server.uvicorn_server
print(sorted(name for name in sys.modules if name.partition(".")[0] in ("gradio", "torch")))
"""


def test_it_stylizes_without_gradio(stylizer: Stylizer) -> None:
    content, style = picture(60, 40, 1), picture(50, 50, 2)
    program = ("-c", f"{WITHOUT_GRADIO}\nfrom adain.cli.main import main\nmain()", "serve")
    with serving(program=program) as server, server.client() as client:
        files = {"content": ("a.png", content), "style": ("b.png", style)}
        answer = client.post("/v1/stylize", files=files)
        assert answer.status_code == 200
        assert np.array_equal(pixels(answer.content), np.asarray(stylizer.stylize(content, style)))


def test_it_has_the_service_and_nothing_of_the_page() -> None:
    with serving("--auth", "a:b", program=SERVICE) as server:
        with server.client() as stranger:
            assert stranger.get("/healthz").status_code == 200
            assert stranger.get("/v1/models").status_code == 401
        with server.client(auth=("a", "b")) as client:
            front = client.get("/")
            assert (front.status_code, front.headers["location"]) == (307, "v1/docs")
            assert client.get("/", follow_redirects=True).url.path == "/v1/docs"
            for path in ("/config", "/gradio_api/info", "/gradio_api/mcp/", "/assets/a.js"):
                answer = client.get(path)
                assert answer.status_code == 404
                one_line(answer)


def test_gradio_and_torch_are_not_imported() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("missing", module.NEEDED)
def test_what_is_missing_is_one_line(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None if name == missing else object())
    assert run(module.serve, []) == 2
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert module.NEEDED[missing] in errors
    assert "pip install 'adain[server]'" in errors
