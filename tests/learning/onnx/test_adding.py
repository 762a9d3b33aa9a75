"""Networks that `adain train` made become models: `adain models add`."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import error_of

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from safetensors.torch import load_file, save_file

from adain import Stylizer, registry, weights
from adain.cli.main import cli
from adain.cli.run import run
from adain.learning.onnx.adding import WEIGHTS, add_trained

SHIPPED = Path(registry.__file__).parents[1] / "weights" / "fast.safetensors"
# The proof of a few sizes: that of all takes minutes.
ADD = """
import sys
from functools import partial
from adain.cli.main import cli
from adain.cli.run import run
from adain.learning.onnx import export
from adain.learning.onnx.parity_cases import Case
export.measure_parity = partial(export.measure_parity, chosen=[Case(70, 45, 32, 32, 1, 1.0)])
sys.exit(run(cli, ["models", "add", *sys.argv[1:]]))
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "adain"


def quietly(line: str) -> None:
    pass


@pytest.mark.slow
def test_a_run_becomes_a_model(cache, tmp_path, photo, painting, capsys):
    (tmp_path / "run").mkdir()
    shutil.copyfile(SHIPPED, tmp_path / "run" / WEIGHTS)
    arguments = [str(tmp_path / "run"), "--name", "mine", "--licence", "CC0"]
    done = subprocess.run(
        [sys.executable, "-c", ADD, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": ready") == 7 and "fp16: 1 cases" in done.stdout
    row = weights.about("mine")
    assert row.licence == "CC0" and row.has_style_network and not row.trained
    assert weights.available_models("fp16") == ["fast", "mine"]
    ours, theirs = (Stylizer(name, "cpu").stylize(photo, painting) for name in ("mine", "fast"))
    assert np.abs(ours.astype(int) - theirs).max() <= 1
    # To train on from, and to remove.
    assert (cache / "mine.safetensors").read_bytes() == SHIPPED.read_bytes()
    assert "a new name, or `adain models remove mine` first" in error_of(
        lambda: add_trained(SHIPPED, "mine", None, quietly)
    )
    assert run(cli, ["models", "remove", "mine"]) == 0
    assert not list(cache.iterdir()) and "mine" not in weights.models()
    capsys.readouterr()


def test_what_is_no_run_is_refused_before_the_work(cache, tmp_path):
    def told(path, name="mine"):
        return error_of(lambda: add_trained(path, name, None, quietly))

    (tmp_path / "empty").mkdir()
    assert f"{tmp_path / 'empty' / WEIGHTS}: no such file" in told(tmp_path / "empty")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(SHIPPED.read_bytes()[:1000])
    assert f"{broken}: not a readable .safetensors file" in told(broken)
    tensors = load_file(SHIPPED)
    save_file(tensors, tmp_path / "silent.safetensors")
    assert "which does not say what model it is of" in told(tmp_path / "silent.safetensors")
    tensors.pop(next(iter(tensors)))
    save_file(tensors, tmp_path / "less.safetensors", {"model": "fast"})
    assert "not weights of this model" in told(tmp_path / "less.safetensors")
    save_file(tensors, tmp_path / "other.safetensors", {"model": "vgg16"})
    assert "does not say what model" in told(tmp_path / "other.safetensors")
    assert "--name: found 'fast', which is built in" in told(SHIPPED, "fast")
    assert not cache.exists()


@pytest.mark.parametrize("form", registry.TRAINED)
def test_a_row_is_that_of_its_form(cache, form):
    base = registry.BUILT_IN[form]
    cache.mkdir(parents=True)
    (cache / "adain-mine.json").write_bytes(registry.mark("CC0", form))
    row = weights.about("mine")
    assert (row.parts, row.encoder_reach, row.decoder_reach, row.bytes_per_pixel) == (
        base.parts,
        base.encoder_reach,
        base.decoder_reach,
        base.bytes_per_pixel,
    )
    assert row.has_vgg19 == base.has_vgg19 and row.network == base.network
    assert row.imported and not row.trained and not row.is_built_by_get and not row.sha256
    assert "`adain models add RUN --name mine`" in row.get


def test_a_mark_of_no_form_is_of_a_decoder(cache):
    cache.mkdir(parents=True)
    for name, more in {"old": {}, "new": {"form": "paper"}, "odd": {"form": "vgg16"}}.items():
        mark = {"kind": "adain imported model", "licence": "MIT", **more}
        (cache / f"adain-{name}.json").write_text(json.dumps(mark))
    assert list(weights.models()) == ["fast", "vgg19", "paper", "new", "old"]
