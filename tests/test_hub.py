"""Model repositories: written by `adain export --hub`, read by `Stylizer.from_pretrained`."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from helpers import error_of

from adain import Stylizer, hub
from adain.cli.export import export
from adain.cli.run import run


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hub") / "deep" / "repository"
    assert run(export, ["--model", "fast", "--hub", str(folder)]) == 0
    return folder


def test_a_repository_gives_the_model(repository, photo, painting, monkeypatch, tmp_path):
    files = {path.relative_to(repository).as_posix() for path in repository.rglob("*.*")}
    parts = ("", "encoder_", "decoder_", "style_")
    onnx = {f"onnx/{part}model{half}.onnx" for part in parts for half in ("", "_fp16")}
    onnx.remove("onnx/style_model_fp16.onnx")
    assert files == onnx | {"README.md", "config.json", "model.safetensors"}
    assert [path.name for path in repository.parent.iterdir()] == ["repository"]
    expected = Stylizer("fast", "cpu").stylize(photo, painting, 0.7)
    # Wherever else weights may be looked for.
    monkeypatch.setenv("ADAIN_WEIGHTS", str(tmp_path))
    stylizer = Stylizer.from_pretrained(repository, "cpu", threads=1)
    assert stylizer.model == "fast" and stylizer.row.licence == "MIT"
    found = pickle.loads(pickle.dumps(stylizer)).stylize(photo, painting, 0.7)
    assert np.array_equal(found, stylizer.stylize(photo, painting, 0.7))
    assert np.abs(found.astype(int) - expected).max() <= 1
    half = Stylizer.from_pretrained(repository, "cpu", precision="fp16")
    assert np.abs(half.stylize(photo, painting, 0.7).astype(int) - expected).mean() < 1


def test_the_whole_is_for_other_programs(repository, photo, painting):
    session = onnxruntime.InferenceSession(repository / "onnx" / "model.onnx")
    inputs = {"content": photo[None], "style": painting[None], "alpha": np.ones(1, np.float32)}
    (found,) = session.run(None, inputs)
    expected = Stylizer("fast", "cpu").stylize(photo, painting)
    assert np.abs(found[0].astype(int) - expected).max() <= 1


def test_the_card_is_one_of_the_hub(repository):
    card = pytest.importorskip("huggingface_hub").ModelCard.load(repository / "README.md")
    about = card.data.to_dict()
    assert about["pipeline_tag"] == "image-to-image" and about["library_name"] == "adain"
    assert about["license"] == "mit" and "Stylizer.from_pretrained" in card.text


def test_a_name_is_that_of_a_repository_on_the_hub(repository, tmp_path):
    """From the cache of the Hub's own library, without a network."""
    pytest.importorskip("huggingface_hub")
    model = tmp_path / "models--somebody--fast"
    snapshot = model / "snapshots" / ("0" * 40)
    snapshot.parent.mkdir(parents=True)
    snapshot.symlink_to(repository)
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text("0" * 40)
    code = (
        "import numpy as np; from adain import Stylizer\n"
        "photo = np.zeros((40, 30, 3), np.uint8) + 90\n"
        "stylizer = Stylizer.from_pretrained('somebody/fast', 'cpu')\n"
        "print(stylizer.files['decoder'], stylizer.stylize(photo, photo[::2]).shape)\n"
        "Stylizer.from_pretrained('somebody/else')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"HF_HUB_CACHE": str(tmp_path), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == f"{snapshot / 'onnx' / 'decoder_model.onnx'} (40, 30, 3)"
    *_, last = done.stderr.strip().splitlines()
    assert "AdaINError: somebody/else: found a repository that cannot be fetched" in last


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"model_type": "bert"}, "no description of a model of adain's"),
        ({"form": "vgg16"}, "no description of a model of adain's"),
        ({"name": "../fast"}, "no description of a model of adain's"),
        ({"licence": ""}, "--licence: found 0 characters"),
        ({"name": "slow"}, "found another model"),
        ({"precisions": ["fp16"]}, "precision: found 'fp32'; allowed: fp16"),
    ],
)
def test_other_descriptions_are_refused(repository, tmp_path, changed, words):
    (tmp_path / "onnx").symlink_to(repository / "onnx")
    about = json.loads((repository / hub.CONFIG).read_text()) | changed
    (tmp_path / hub.CONFIG).write_text(json.dumps(about))
    assert words in error_of(lambda: Stylizer.from_pretrained(tmp_path, "cpu"))


def test_a_file_that_is_missing_is_named(repository, tmp_path):
    def told(source):
        return error_of(lambda: Stylizer.from_pretrained(source, "cpu"))

    assert "config.json: found no description" in told(tmp_path)
    (tmp_path / hub.CONFIG).write_bytes((repository / hub.CONFIG).read_bytes())
    assert f"{tmp_path / 'onnx' / 'encoder_model.onnx'}: found no file" in told(tmp_path)
    assert "'no folder', which is no folder; allowed: a folder, or OWNER/NAME" in told("no folder")


def test_nothing_is_written_over(tmp_path, capsys, monkeypatch):
    (tmp_path / "mine.txt").write_text("mine")
    assert run(export, ["--model", "fast", "--hub", str(tmp_path)]) == 2
    assert "found what is there already; allowed: an empty folder" in capsys.readouterr().err
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("ADAIN_WEIGHTS", raising=False)
    assert run(export, ["--model", "vgg19", "--hub", str(tmp_path / "new")]) == 2
    assert "adain models get vgg19" in capsys.readouterr().err
    assert run(export, ["--model", "fast", "--hub", str(tmp_path / "new"), "-o", "x"]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
