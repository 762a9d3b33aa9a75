"""The model files that the exporting commands write, made once for all tests that read them."""

import http.server
import os
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from adain import weights
from adain.errors import AdaINError

INSTALL = """
import sys
from adain import cli, weights
weights.VGG19_URL = {url!r}
sys.exit(cli.run(cli.cli, ["models", "get", "vgg19"]))
"""


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Where `python -m export` and `adain models get vgg19` put the files of each model."""
    pytest.importorskip("torch", reason="the learning side needs PyTorch")
    from adain.learning.parity import CASES, HOSTILE

    folders = {"fast": tmp_path_factory.mktemp("fast")}
    said = _done(sys.executable, "-m", "export", "--model", "fast", "-o", str(folders["fast"]))
    proven = f"{CASES + len(HOSTILE)} cases, largest (and mean) differences from torch"
    assert f"fp32: {proven}" in said and f"fp16: {proven}" in said
    try:
        published = weights.find("vgg19.safetensors", get="")
    except AdaINError:
        return folders
    cache = tmp_path_factory.mktemp("cache")
    environment = {"XDG_CACHE_HOME": str(cache), "ADAIN_WEIGHTS": ""}
    with Serving(published, tmp_path_factory.mktemp("server")) as url:
        said = _done(sys.executable, "-c", INSTALL.format(url=url), **environment)
    assert "fetching" in said and f"fp16: {proven}" in said
    return folders | {"vgg19": cache / "adain"}


@pytest.fixture(scope="session")
def vgg19_files(vgg19_weights: Path, exported: dict[str, Path]) -> Path:
    """The folder of `vgg19`'s files; without the published encoder the test is skipped."""
    return exported["vgg19"]


def _done(*command: str, **variables: str) -> str:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=1200,
        env=os.environ | variables,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class Serving:
    """The published encoder as its repository releases it, on an HTTP server of this machine."""

    def __init__(self, published: Path, folder: Path) -> None:
        import torch
        from safetensors.torch import load_file

        from adain.learning import pretrained

        tensors = load_file(published)
        state = {
            f"{index}.{kind}": tensors[f"{name}.{kind}"]
            for name, index in pretrained._PTH_KEYS.items()
            for kind in ("weight", "bias")
        }
        torch.save(state, folder / "vgg_normalised.pth")
        handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)

    def __enter__(self) -> str:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}/vgg_normalised.pth"

    def __exit__(self, *exception: object) -> None:
        self.server.shutdown()
        self.server.server_close()
