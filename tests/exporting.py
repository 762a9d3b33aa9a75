"""The model files that the exporting commands write, made once for all tests that read them."""

import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from adain import weights
from adain.errors import AdaINError

INSTALL = """
import sys
from adain import published
from adain.cli.main import cli
from adain.cli.run import run
vars(published.PUBLISHED_VGG19)["url"] = {url!r}
# What comes with it is not there: its minutes are those of `imported`.
vars(published.PUBLISHED_DECODER)["url"] = {url!r} + ".none"
sys.exit(run(cli, ["models", "get", "vgg19"]))
"""

# The proof of a few sizes: that of all takes ten minutes.
IMPORT = """
import sys
from functools import partial
from adain.cli.main import cli
from adain.cli.run import run
from adain.learning.onnx import export
from adain.learning.onnx.parity_cases import Case
few = [Case(16, 24, 40, 32, 2, 0.7), Case(70, 45, 32, 32, 1, 1.0)]
export.measure_parity = partial(export.measure_parity, chosen=few)
sys.exit(run(cli, ["models", "import", *sys.argv[1:]]))
"""
# What the imported model of the tests is called.
MOSAIC = "mosaic-2"


@pytest.fixture(scope="session")
def imported(vgg19_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's cache after `adain models import` of the paper's decoder as MOSAIC."""
    del vgg19_weights
    pytest.importorskip("torch", reason="the learning side needs PyTorch")
    import torch
    from safetensors.torch import load_file

    decoder = weights.look_for("adain-paper-decoder.safetensors")
    if decoder is None:
        pytest.skip("no adain-paper-decoder.safetensors in ADAIN_WEIGHTS")
    folder = tmp_path_factory.mktemp("imported")
    state = {f"module.{key}": value.float() for key, value in load_file(decoder).items()}
    torch.save({"state_dict": state, "epoch": 7}, folder / "decoder.pth")
    arguments = (str(folder / "decoder.pth"), "--name", MOSAIC, "--licence", "CC BY 4.0")
    said = _done(sys.executable, "-c", IMPORT, *arguments, XDG_CACHE_HOME=str(folder))
    assert "fp32: 2 cases, largest" in said and "fp16: 2 cases, largest" in said
    # Encoder, decoder and the whole in two precisions.
    assert said.count(": ready") == 6
    return folder / "adain"


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Where `python -m export` and `adain models get vgg19` put the files of each model."""
    pytest.importorskip("torch", reason="the learning side needs PyTorch")
    from adain.learning.onnx.parity_cases import CASES, HOSTILE

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
    with serving_vgg19(published, tmp_path_factory.mktemp("server")) as url:
        said = _done(sys.executable, "-c", INSTALL.format(url=url), **environment)
    assert "fetching" in said and f"fp16: {proven}" in said
    assert "paper: not made: http" in said
    assert said.count(": ready") == 6 and "adain-vgg19-fp16.onnx: ready" in said
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


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of an HTTP server of this machine for the files of a folder."""
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def serving_vgg19(published: Path, folder: Path) -> Iterator[str]:
    """The address of the published encoder as its repository releases it."""
    import torch
    from safetensors.torch import load_file

    from adain.learning.models import pretrained

    tensors = load_file(published)
    state = {
        f"{index}.{kind}": tensors[f"{name}.{kind}"]
        for name, index in pretrained._PTH_KEYS.items()
        for kind in ("weight", "bias")
    }
    torch.save(state, folder / "vgg_normalised.pth")
    with served(folder) as address:
        yield f"{address}/vgg_normalised.pth"
