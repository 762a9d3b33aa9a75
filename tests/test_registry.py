"""The registry of models: names, licences, and imported models found by their marks."""

import json
import os
from pathlib import Path

import onnx
import pytest
from helpers import error_of

from adain import Stylizer, registry, weights
from adain.published import PUBLISHED_VGG19


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's cache with nothing in it, after a chosen folder and what is shipped."""
    monkeypatch.setenv("ADAIN_WEIGHTS", str(tmp_path / "chosen"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "cache" / "adain"
    folder.mkdir(parents=True)
    (tmp_path / "chosen").mkdir()
    return folder


def put(folder: Path, name: str, licence: str = "CC0") -> None:
    """The files of an imported model, all but the mark empty."""
    row = registry.imported(name)
    for precision in registry.EXPORTED:
        for part in (*row.parts, "whole"):
            (folder / weights.onnx_file(name, part, precision)).touch()
    (folder / row.source).touch()
    (folder / registry.mark_file(name)).write_bytes(registry.mark(licence))


def test_rows_of_what_is_built_in() -> None:
    assert list(registry.BUILT_IN) == ["fast", "vgg19", "paper"]
    assert registry.TRAINED == ("fast", "vgg19")
    assert [m.has_vgg19 for m in registry.BUILT_IN.values()] == [False, True, True]
    assert not any(model.imported for model in registry.BUILT_IN.values())
    assert [m.has_style_network for m in registry.BUILT_IN.values()] == [True, False, False]
    assert [m.is_built_by_get for m in registry.BUILT_IN.values()] == [False, True, True]
    assert registry.has_published_decoder("paper") and not registry.has_published_decoder("vgg19")


def test_digests_are_those_of_what_ships() -> None:
    shipped = Path(registry.__file__).parents[1] / "weights"
    for name in registry.TRAINED:
        row = registry.BUILT_IN[name]
        assert weights.sha256(shipped / row.source) == row.sha256
        sources = [
            {entry.key: entry.value for entry in onnx.load(file).metadata_props}
            for file in shipped.glob(f"adain-{name}*.onnx")
        ]
        assert all(about["weights_sha256"] == row.sha256 for about in sources)


def test_every_row_names_a_network_that_is_there() -> None:
    pytest.importorskip("torch", reason="the learning side needs PyTorch")
    from adain.learning.models.pretrained import make_trainable

    made = [type(make_trainable(name)).__name__ for name in registry.TRAINED]
    assert made == ["Fast", "ResidualDecoder"]


def test_models_are_listed_in_order_and_anew(cache: Path) -> None:
    assert list(weights.models()) == ["fast", "vgg19", "paper"]
    for name in ("wave", "mosaic-2"):
        put(cache, name)
    assert list(weights.models()) == ["fast", "vgg19", "paper", "mosaic-2", "wave"]
    assert weights.available_models("fp16")[-2:] == ["mosaic-2", "wave"]
    row = weights.about("wave")
    assert row.imported and row.licence.startswith("decoder CC0; VGG-19 encoder CC BY 4.0")
    assert weights.precisions("wave") == ("fp32", "fp16")
    assert "wave-decoder.safetensors" in weights.model_files("wave")


def test_the_first_folder_counts(cache: Path, tmp_path: Path) -> None:
    put(cache, "wave", "of the cache")
    put(tmp_path / "chosen", "wave", "of the chosen folder")
    assert "of the chosen folder" in weights.about("wave").licence


@pytest.mark.parametrize(
    ("file", "data"),
    [
        ("adain-wave.json", b""),
        ("adain-wave.json", b"\xff\xfe{"),
        ("adain-wave.json", b"[]"),
        ("adain-wave.json", b"7"),
        ("adain-wave.json", b"[" * 100_000),
        ("adain-wave.json", json.dumps({"kind": "another", "licence": "MIT"}).encode()),
        ("adain-wave.json", json.dumps({"kind": "adain imported model"}).encode()),
        ("adain-wave.json", registry.mark("x" * 201)),
        ("adain-wave.json", registry.mark("two\nlines")),
        ("adain-Wave.json", registry.mark("MIT")),
        ("adain-fast.json", registry.mark("MIT")),
        ("adain-a b.json", registry.mark("MIT")),
        ("adain-my-encoder.json", registry.mark("MIT")),
        ("adain-.json", registry.mark("MIT")),
    ],
)
def test_other_files_are_no_models(cache: Path, file: str, data: bytes) -> None:
    (cache / file).write_bytes(data)
    (cache / "adain-folder.json").mkdir()
    assert list(weights.models()) == ["fast", "vgg19", "paper"]
    assert not weights.about("fast").imported


def test_a_wrong_name_lists_what_is_there(cache: Path) -> None:
    put(cache, "wave")
    wanted = "model: found 'vgg16'; allowed: fast, vgg19, paper or wave"
    for call in (weights.about, weights.find_model, weights.precisions, Stylizer):
        assert error_of(lambda call=call: call("vgg16")) == wanted


def test_files_that_are_missing_say_how_to_get_them(cache: Path) -> None:
    put(cache, "wave")
    (cache / "adain-wave-decoder.onnx").unlink()
    message = error_of(lambda: weights.find_model("wave"))
    assert message.endswith("`adain models import FILE --name wave` make it anew")
    assert "wave" not in weights.available_models()
    message = error_of(lambda: weights.find_model("paper"))
    assert message.endswith("`adain models get paper` gets it")
    message = error_of(lambda: weights.find_model("wave", "int8"))
    assert message == "precision: found 'int8'; allowed: fp32 or fp16 (wave)"


@pytest.mark.parametrize("name", ["a", "7", "starry-night", "mosaic-2", "x" * 40, "encoder-2"])
def test_names(name: str) -> None:
    assert registry.check_name(name) == name


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("", "''"),
        ("Mosaic", "'Mosaic'"),
        ("a b", "'a b'"),
        ("a--b", "'a--b'"),
        ("-a", "'-a'"),
        ("a-", "'a-'"),
        ("a_b", "'a_b'"),
        ("é", "'é'"),
        ("a\n", "'a\\n'"),
        ("../a", "'../a'"),
        ("x" * 41, "41 characters"),
        ("fast", "'fast', which is built in"),
        ("paper", "'paper', which is built in"),
        *((f"my-{word}", f"'my-{word}'") for word in registry.FILE_WORDS),
        ("style", "'style'"),
    ],
)
def test_names_that_are_refused(name: str, found: str) -> None:
    message = error_of(lambda: registry.check_name(name))
    assert message.startswith(f"--name: found {found}; allowed: ")


@pytest.mark.parametrize("licence", ["", " ", "x" * 201, "a\nb", "a\x1b[31m"])
def test_licences_that_are_refused(licence: str) -> None:
    assert error_of(lambda: registry.check_licence(licence)).startswith("--licence: found ")


def test_removing_a_model(cache: Path) -> None:
    put(cache, "wave")
    put(cache, "wave-2")
    (cache / PUBLISHED_VGG19.names[1]).touch()
    before = set(os.listdir(cache))
    removed = weights.remove_model("wave")
    assert removed[0] == cache / "adain-wave.json" and len(removed) == 8
    left = set(os.listdir(cache))
    assert before - left == {path.name for path in removed}
    assert PUBLISHED_VGG19.names[1] in left and list(weights.models())[3:] == ["wave-2"]


def test_what_is_not_removed(cache: Path, tmp_path: Path) -> None:
    for name in registry.TRAINED:
        message = error_of(lambda name=name: weights.remove_model(name))
        assert message.startswith(f"model: found {name!r}, which this project trains; allowed: ")
    assert "'wave'; allowed: fast, vgg19 or paper" in error_of(lambda: weights.remove_model("wave"))
    message = error_of(lambda: weights.remove_model("paper"))
    assert message.startswith(f"model: found no file of 'paper' in {cache}; ")
    put(tmp_path / "chosen", "wave")  # not in the cache: somebody else's
    assert f"no file of 'wave' in {cache}" in error_of(lambda: weights.remove_model("wave"))
    assert "wave" in weights.available_models()
