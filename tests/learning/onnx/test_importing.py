"""Decoders that people already have: `adain models import`, and the one released with the paper."""

import os
import shutil
import socket
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from exporting import MOSAIC
from helpers import error_of
from PIL import Image

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from safetensors.torch import load_file, save_file
from torch import Tensor

from adain import AdaINError, Style, Stylizer, registry, weights
from adain.cli.main import cli
from adain.cli.run import run
from adain.learning.evaluation.evaluate import score_table
from adain.learning.evaluation.pairs import read_pairs
from adain.learning.evaluation.scoring import Scorer, score_pairs
from adain.learning.models.decoders import SHAPES
from adain.learning.models.pretrained import (
    load_model,
    load_paper_decoder,
    load_vgg19_encoder,
)
from adain.learning.onnx import (
    export,
    importing,
)
from adain.learning.onnx.parity import Difference, ParityReport
from adain.published import PUBLISHED_DECODER

ROUNDED = "adain-paper-decoder.safetensors"
EXPORTED_FILES = {
    f"adain-{{}}{part}{half}.onnx"
    for part in ("", "-encoder", "-decoder")
    for half in ("", "-fp16")
}


def names_of(model: str) -> set[str]:
    files = {name.format(model) for name in EXPORTED_FILES} | {f"{model}-decoder.safetensors"}
    return files if model == "paper" else files | {f"adain-{model}.json"}


# The real thing, of which the cache holds one


@pytest.fixture
def mosaic(imported: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache with the imported model, as the current one."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(imported.parent))
    return imported


def test_what_an_import_leaves(mosaic: Path) -> None:
    assert {path.name for path in mosaic.iterdir()} == names_of(MOSAIC)
    kept, given = (load_file(p) for p in (mosaic / f"{MOSAIC}-decoder.safetensors", rounded()))
    assert all(torch.equal(kept[key], given[key].float()) for key in SHAPES)
    for precision in registry.EXPORTED:
        for part, path in weights.find_model(MOSAIC, precision).items():
            about = onnxruntime.InferenceSession(path).get_modelmeta().custom_metadata_map
            assert (about["model"], about["part"]) == (MOSAIC, part)
            assert about["licence"] == f"decoder CC BY 4.0; {registry._ENCODER_LICENCE}"
            assert (about["style_channels"], about["skips"]) == ("1024", "")
    assert load_model(MOSAIC).style_channels == 1024


def rounded() -> Path:
    path = weights.look_for(ROUNDED)
    assert path is not None
    return path


def test_it_is_a_model_like_any_other(
    mosaic: Path, tmp_path: Path, photo: np.ndarray, painting: np.ndarray,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert weights.available_models()[-1] == MOSAIC
    assert run(cli, ["models"]) == 0
    assert f"{MOSAIC}: ready in fp32, fp16 (licence: decoder CC BY 4.0; " in capsys.readouterr().out
    for name, pixels in (("photo", photo), ("style", painting)):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    pictures = [str(tmp_path / name) for name in ("photo.png", "style.png", "out.png")]
    command = ["stylize", *pictures[:2], "-o", pictures[2], "--model", MOSAIC, "--device", "cpu"]
    assert run(cli, command) == 0
    stylizer = Stylizer(MOSAIC, "cpu")
    with Image.open(pictures[2]) as out:
        assert np.array_equal(np.asarray(out), stylizer.stylize(photo, painting))
    half = Stylizer(MOSAIC, "cpu", precision="fp16").stylize(photo, painting)
    assert np.abs(half - stylizer.stylize(photo, painting).astype(int)).mean() < 1
    # A style that vgg19 encoded: all four layers, relu4_1 first.
    own = stylizer.encode_style(painting)
    more = Style(np.append(own.vector, np.ones(896, np.float32)), "vgg19", own.weights)
    assert np.array_equal(stylizer.stylize(photo, own), stylizer.stylize(photo, more))


def test_it_is_in_the_way_of_another(mosaic: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in mosaic.iterdir()}
    assert run(cli, ["models", "import", str(rounded()), "--name", MOSAIC]) == 2
    said = capsys.readouterr().err
    assert f"--name: found '{MOSAIC}', which is here already (" in said
    assert said.endswith(f"a new name, or `adain models remove {MOSAIC}` first\n")
    assert {path: path.stat().st_mtime_ns for path in mosaic.iterdir()} == before


def test_removing_it(
    mosaic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    shutil.copytree(mosaic, tmp_path / "adain")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert run(cli, ["models", "remove", MOSAIC]) == 0
    assert capsys.readouterr().out.count(": removed\n") == len(names_of(MOSAIC))
    assert list((tmp_path / "adain").iterdir()) == []
    assert run(cli, ["models", "remove", MOSAIC]) == 2
    assert f"found '{MOSAIC}'; allowed: fast, vgg19 or paper" in capsys.readouterr().err


class Exported:
    """An imported model's ONNX files, for `score_pairs`."""

    def __init__(self, name: str) -> None:
        self.sessions = {
            part: onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
            for part, path in weights.find_model(name).items()
        }

    def run(self, part: str, **inputs: Tensor) -> list[Tensor]:
        feeds = {name: tensor.numpy() for name, tensor in inputs.items()}
        return [torch.from_numpy(array) for array in self.sessions[part].run(None, feeds)]

    def encoder(self, image: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.run("encoder", image=image))

    def style(self, image: Tensor) -> Tensor:
        return self.encoder(image)[1]

    def decoder(self, *given: Tensor) -> Tensor:
        names = ("features", "statistics", "style", "alpha")
        height, width = given[0].shape[2:]
        # The network alone is evaluated: at this strength nothing of the content is blended in.
        blend = {
            "image": torch.zeros(1, 3, 8 * height, 8 * width),
            "strength": torch.ones(1, 1, 1, 1),
        }
        return self.run("decoder", **dict(zip(names, given, strict=True)), **blend)[0]


def test_its_losses_are_those_of_the_paper_decoder(mosaic: Path, folder: Path) -> None:
    scorer = Scorer(load_vgg19_encoder(), 128)
    pairs = read_pairs(folder, 2)
    ours = score_pairs(Exported(MOSAIC), pairs, scorer).mean()
    theirs = score_pairs(load_paper_decoder(rounded()), pairs, scorer).mean()
    for name in ("content_loss", "target_loss", "style_loss", "gram_loss", "ssim"):
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name), rel=5e-4), name
    # As `adain evaluate` prints them.
    assert score_table({"": ours}) == score_table({"": theirs})


# All but the export, which takes long: `export_model` writes empty files


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vgg19_weights: Path) -> Iterator[Path]:
    """An empty cache; the export is quick, and files are what they were at the end."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("ADAIN_WEIGHTS", str(vgg19_weights.parent))

    def quick(row: Any, folder: str | os.PathLike[str], *, source: Path) -> list[ParityReport]:
        assert source.is_file()
        for name in EXPORTED_FILES:
            (Path(folder) / name.format(row.name)).touch()
        return [ParityReport()]

    monkeypatch.setattr(importing, "export_model", quick)
    yield tmp_path / "cache" / "adain"
    assert not list(tmp_path.glob("cache/adain/.*"))


@pytest.fixture
def decoder(tmp_path: Path) -> Path:
    path = tmp_path / "own.safetensors"
    save_file({key: torch.full(shape, 0.01) for key, shape in SHAPES.items()}, path)
    return path


def quietly(line: str) -> None:
    pass


def test_an_import_in_an_empty_cache(cache: Path, decoder: Path) -> None:
    importing.import_decoder(decoder, "mosaic", None, quietly)
    assert {path.name for path in cache.iterdir()} == names_of("mosaic")
    assert weights.about("mosaic").licence.startswith("decoder not stated; VGG-19 encoder ")


@pytest.mark.parametrize("stage", ["export", "proof", "move"])
def test_a_failure_leaves_nothing(
    cache: Path, decoder: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    (cache / "old").mkdir(parents=True)
    if stage == "export":
        monkeypatch.setattr(importing, "export_model", failing)
    elif stage == "proof":  # the real export up to where its files are compared with PyTorch
        monkeypatch.setattr(importing, "export_model", export.export_model)
        monkeypatch.setattr(export, "build", lambda model: {})
        far = ParityReport(differences={"image": Difference(5.0, 5.0, 1)})
        monkeypatch.setattr(export, "measure_parity", lambda model, files: [far])
    else:  # a folder stands where the last file goes
        (cache / "adain-mosaic.json").mkdir()
    before = set(cache.iterdir())
    with pytest.raises(AdaINError) as caught:
        importing.import_decoder(decoder, "mosaic", None, quietly)
    words = {"export": "broken", "proof": "so the files are not kept", "move": str(cache)}
    assert words[stage] in str(caught.value)
    assert set(cache.iterdir()) == before and "mosaic" not in weights.models()


def failing(row: Any, folder: str, **how: Any) -> list[ParityReport]:
    (Path(folder) / "adain-mosaic.onnx").touch()
    raise AdaINError("broken")


def test_what_is_refused_before_the_work(
    cache: Path, decoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "export_model", lambda *_, **__: pytest.fail("it works"))

    def refused() -> str:
        return error_of(lambda: importing.import_decoder(decoder, "mosaic", None, quietly))

    with monkeypatch.context() as patch:
        patch.setenv("ADAIN_WEIGHTS", "")
        assert "vgg19.safetensors or vgg_normalised.pth not found" in refused()
    with monkeypatch.context() as patch:
        usage = namedtuple("usage", "total used free")
        patch.setattr(importing.shutil, "disk_usage", lambda path: usage(10**9, 0, 10**7))
        assert f"{cache}: found 10 MB of free space; allowed: 250 MB or more" in refused()
    shutil.rmtree(cache.parent)
    cache.parent.write_text("in the way")
    assert f"{cache}: found a folder that cannot be written to (" in refused()


# The decoder released with the paper


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A stand-in for the released file: the rounded copy's values, moved by up to half a step."""
    path = weights.look_for(ROUNDED)
    if path is None:
        pytest.skip(f"no {ROUNDED} in ADAIN_WEIGHTS")
    generator = torch.Generator().manual_seed(0)
    state = {}
    for key, value in load_file(path).items():
        step = (value.max() - value.min()).float() / 255
        state[key] = value + step * (torch.rand(value.shape, generator=generator) - 0.5)
    (tmp_path / "server").mkdir()
    torch.save(state, tmp_path / "server" / "decoder.pth")
    return tmp_path / "server" / "decoder.pth"


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    from exporting import served

    (tmp_path / "server").mkdir(exist_ok=True)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with served(tmp_path / "server") as address:
        monkeypatch.setitem(vars(PUBLISHED_DECODER), "url", f"{address}/decoder.pth")
        yield PUBLISHED_DECODER.url


def test_getting_paper(
    cache: Path, published: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(cli, ["models", "get", "paper"]) == 0
    said = capsys.readouterr().out
    assert f"{url}: fetching 14 MB" in said and said.count(": ready\n") == 6
    assert {path.name for path in cache.iterdir()} == names_of("paper")
    kept = load_file(cache / "paper-decoder.safetensors")
    given = torch.load(published, weights_only=True)
    assert all(torch.equal(kept[key], given[key].float()) for key in SHAPES)
    # Again: nothing is left to do.
    assert run(cli, ["models", "get", "paper"]) == 0
    assert "fetching" not in capsys.readouterr().out


def test_paper_comes_with_vgg19(
    cache: Path, published: Path, url: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    del published

    def quick(name: str, folder: Path) -> list[ParityReport]:
        folder.mkdir(parents=True, exist_ok=True)
        for file in EXPORTED_FILES:
            (folder / file.format(name)).touch()
        return []

    others = importing.export_model
    monkeypatch.setattr(
        importing, "export_model", lambda row, f, **how: (others if how else quick)(row, f, **how)
    )
    assert run(cli, ["models", "get", "vgg19"]) == 0
    assert weights.available_models("fp16")[-2:] == ["vgg19", "paper"]
    shutil.rmtree(cache)
    monkeypatch.setitem(vars(PUBLISHED_DECODER), "url", f"{url}.none")
    capsys.readouterr()
    assert run(cli, ["models", "get", "vgg19"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith(f"paper: not made: {url}.none: could not be fetched (")
    assert last.endswith(f"bring the file to {cache / 'decoder.pth'}")
    assert "vgg19" in weights.available_models() and "paper" not in weights.available_models()


def test_paper_without_a_network(
    cache: Path, published: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        nowhere = f"http://127.0.0.1:{free.getsockname()[1]}/decoder.pth"
        monkeypatch.setitem(vars(PUBLISHED_DECODER), "url", nowhere)
        assert run(cli, ["models", "get", "paper"]) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1 and str(cache / "decoder.pth") in said
        # Brought to where the line says, or imported from anywhere.
        shutil.copy(published, cache / "decoder.pth")
        assert run(cli, ["models", "get", "paper"]) == 0
        assert (cache / "decoder.pth").is_file()
        assert run(cli, ["models", "remove", "paper"]) == 0
        assert run(cli, ["models", "import", str(published), "--name", "paper"]) == 0
        assert "paper" in weights.available_models()
        capsys.readouterr()
        assert run(cli, ["models", "import", str(published), "--name", "paper"]) == 2
        assert "found 'paper', which is here already" in capsys.readouterr().err


def test_another_decoder_is_not_paper(
    cache: Path, decoder: Path, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(cli, ["models", "import", str(decoder), "--name", "paper"]) == 2
    said = capsys.readouterr().err
    assert "another decoder than the one released with the paper" in said
    assert said.endswith("`adain models import FILE --name NAME` takes any other\n")
    torch.save(load_file(decoder), tmp_path / "server" / "decoder.pth")
    assert run(cli, ["models", "get", "paper"]) == 2
    assert "another decoder than the one released" in capsys.readouterr().err
    assert not cache.exists() or list(cache.iterdir()) == []
