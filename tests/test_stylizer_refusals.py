"""What a Stylizer refuses: files of other models, precisions and contracts, arguments, styles."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from helpers import distance, error_of
from onnx import helper

from adain import Style, Stylizer, weights


@pytest.fixture
def starry(stylizer: Stylizer, painting: np.ndarray) -> Style:
    return stylizer.encode_style(painting)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Copies of the files of `fast`, in a folder that is looked in first."""
    found = weights.find_model("fast")
    copies = {part: Path(shutil.copy(file, tmp_path)) for part, file in found.items()}
    monkeypatch.setenv("ADAIN_WEIGHTS", str(tmp_path))
    return copies


# Precisions


@pytest.fixture(scope="module")
def half() -> Stylizer:
    if "fast" not in weights.available_models("fp16"):
        pytest.skip("no float16 files of fast here; `python -m export --model fast` makes them")
    return Stylizer(device="cpu", precision="fp16")


def test_half_precision_gives_nearly_the_same_picture(stylizer, half, photo, painting):
    assert half.precision == "fp16" and stylizer.precision == "fp32"
    expected = stylizer.stylize(photo, painting)
    result = half.stylize(photo, painting)
    assert 0 < np.abs(result - expected.astype(int)).mean() <= 1
    # Features are whatever the encoder of this precision gives and the decoder of it takes.
    ((_, kept),) = half._contents.items()
    dtypes = {name: str(value.dtype) for name, value in kept.items()}
    assert dtypes == {"image": "float32", "features": "float16", "statistics": "float32"}


def test_styles_serve_every_precision(stylizer, half, photo, starry):
    own = half.stylize(photo, half.encode_style(photo[::-1]))
    other = half.stylize(photo, stylizer.encode_style(photo[::-1]))
    assert np.abs(own - other.astype(int)).mean() <= 1
    assert half.stylize(photo, starry).shape == photo.shape


@pytest.mark.parametrize("precision", ["fp8", "FP16", "", None, 16])
def test_unknown_precision(precision):
    message = error_of(lambda: Stylizer(device="cpu", precision=precision))
    assert message.startswith(f"precision: found {precision!r}; allowed: fp32 or fp16")


@pytest.mark.parametrize("part", ["encoder", "decoder", "style"])
def test_file_of_another_precision(files, part):
    other = onnx.load(files[part])
    helper.set_model_props(other, metadata(other) | {"precision": "fp16"})
    onnx.save(other, files[part])
    message = error_of(lambda: Stylizer(device="cpu"))
    assert message.startswith(f"{files[part]}: found another model; allowed: ")
    assert "in fp32" in message


# What fails


@pytest.mark.parametrize("alpha", [-0.01, 1.01, 2, np.nan, np.inf, -np.inf, None, [0.5], 10**400])
def test_strength_out_of_range(stylizer, photo, starry, alpha):
    message = error_of(lambda: stylizer.stylize(photo, starry, alpha))
    assert message.startswith(f"alpha: found {alpha!r}; allowed: a number from 0 ")


@pytest.mark.parametrize("model", ["vgg16", "Fast", "", None])
def test_unknown_model(model):
    allowed = "fast, vgg19 or paper"
    assert error_of(lambda: Stylizer(model)) == f"model: found {model!r}; allowed: {allowed}"


def test_missing_weights_say_where_they_were_looked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("ADAIN_WEIGHTS", str(tmp_path / "chosen"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    if "vgg19" in weights.available_models():
        pytest.skip("the checkout holds the model files of vgg19")
    message = error_of(lambda: Stylizer("vgg19"))
    places = [str(folder) for folder in weights.search_folders()]
    assert len(places) == 4 and places[0] == str(tmp_path / "chosen")
    words = ["adain-vgg19-encoder.onnx", "`adain models get vgg19`", *places]
    assert not [word for word in words if word not in message]


@pytest.mark.parametrize("which", ["content", "style"])
def test_picture_that_is_none(stylizer, photo, tmp_path, which):
    path = tmp_path / "notes.jpg"
    path.write_text("not a picture")
    pair = (path, photo) if which == "content" else (photo, path)
    assert error_of(lambda: stylizer.stylize(*pair)).startswith(f"{path}: found ")


def test_style_of_another_model_or_other_weights(stylizer, photo, starry):
    others = {
        "model 'mine'": Style(starry.vector, "mine", "0" * 64),
        "other weights": Style(starry.vector, "fast", "0" * 64),
        "a vector of 3 numbers": Style(starry.vector[:3], "fast", starry.weights),
    }
    for words, style in others.items():
        message = error_of(lambda style=style: stylizer.stylize(photo, style))
        assert message.startswith("style: found ") and words in message


def test_style_mixture_lies_between(stylizer, photo, painting, starry):
    other = stylizer.encode_style(255 - painting)
    ends = [stylizer.stylize(photo, style) for style in (starry, other)]
    middle = stylizer.stylize(photo, 0.5 * starry + 0.5 * other)
    assert max(distance(middle, end) for end in ends) < distance(*ends)


@pytest.mark.parametrize("part", ["encoder", "decoder", "style"])
@pytest.mark.parametrize("kind", ["empty", "junk", "cut short", "foreign", "swapped"])
def test_file_that_is_not_the_models(files, part, kind, capfd):
    broken = files[part]
    if kind == "foreign":
        foreign = onnx.load(broken)
        foreign.ClearField("metadata_props")
        onnx.save(foreign, broken)
    elif kind == "swapped":
        shutil.copy(files["style" if part == "encoder" else "encoder"], broken)
    else:
        whole = broken.read_bytes()
        broken.write_bytes({"empty": b"", "junk": b"junk" * 99}.get(kind, whole[: len(whole) // 2]))
    message = error_of(lambda: Stylizer(device="cpu"))
    assert message.startswith(f"{broken}: found ") and "; allowed: " in message
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("part", ["encoder", "style"])
def test_files_of_two_exports(files, part):
    other = onnx.load(files[part])
    helper.set_model_props(other, metadata(other) | {"weights_sha256": "0" * 64})
    onnx.save(other, files[part])
    message = error_of(lambda: Stylizer(device="cpu"))
    assert message.startswith(f"{files[part]}: found ") and str(files["decoder"]) in message
    assert "files of one export" in message


@pytest.mark.parametrize("part", ["encoder", "decoder", "style"])
def test_files_of_an_older_contract(files, part):
    other = onnx.load(files[part])
    helper.set_model_props(other, metadata(other) | {"contract": "1"})
    onnx.save(other, files[part])
    message = error_of(lambda: Stylizer(device="cpu"))
    assert message.startswith(f"{files[part]}: found a file of contract 1") and "pip" in message


def test_retrained_weights_refuse_old_styles(files, stylizer, photo, starry):
    changed = {"weights_sha256": "0" * 64, "style_space": "0" * 64}
    for file in files.values():
        retrained = onnx.load(file)
        helper.set_model_props(retrained, metadata(retrained) | changed)
        onnx.save(retrained, file)
    assert "other weights" in error_of(lambda: Stylizer(device="cpu").stylize(photo, starry))


def metadata(model: onnx.ModelProto) -> dict[str, str]:
    return {entry.key: entry.value for entry in model.metadata_props}
