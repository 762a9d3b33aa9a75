"""Styles as vectors: arithmetic to the last bit, files, and what is refused."""

import os
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest
from helpers import error_of
from safetensors.numpy import save_file

from adain import Style
from adain.style import VGG19_STATISTICS

WEIGHTS = "5" * 64


def style(seed: int, model: str = "fast", weights: str = WEIGHTS, size: int = 896) -> Style:
    vector = np.random.default_rng(seed).normal(size=size).astype(np.float32)
    return Style(vector, model, weights)


def same(a: Style, b: Style) -> bool:
    """Bit for bit, with what belongs to the vector."""
    return (a.vector.tobytes(), a.model, a.weights) == (b.vector.tobytes(), b.model, b.weights)


@pytest.mark.parametrize("kind", [float, np.float32, np.float64])
def test_mixture_is_exact_in_float32(kind):
    a, b = style(1), style(2)
    mixture = kind(0.6) * a + b * kind(0.4)
    assert isinstance(mixture, Style) and mixture.vector.dtype == np.float32
    expected = np.float32(0.6) * a.vector + np.float32(0.4) * b.vector
    assert same(mixture, Style(expected, "fast", WEIGHTS))
    assert same(1 * a, a) and same(a + b, b + a)


def test_mixing_changes_neither_part():
    a, b = style(1), style(2)
    assert (0.5 * a + 0.5 * b).vector.flags.writeable is False
    assert same(a, style(1)) and same(b, style(2))


def test_style_is_immutable():
    vector = np.arange(4, dtype=np.float32)
    kept = Style(vector, "fast", WEIGHTS)
    vector[0] = 9
    assert kept.vector[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        kept.vector[0] = 1
    for name in ("vector", "model", "weights"):
        with pytest.raises(FrozenInstanceError):
            setattr(kept, name, getattr(kept, name))


@pytest.mark.parametrize("other", [style(2, model="vgg19"), style(2, weights="6" * 64)])
def test_styles_of_different_weights_do_not_mix(other):
    assert "by the same model and weights" in error_of(lambda: style(1) + other)


@pytest.mark.parametrize(
    "sum_of",
    [lambda a: a + 1, lambda a: 1 + a, lambda a: a * "2", lambda a: a * a, lambda a: a * None],
)
def test_what_is_no_mixture_is_a_type_error(sum_of):
    with pytest.raises(TypeError):
        sum_of(style(1))


@pytest.mark.parametrize(
    "vector", [np.zeros((2, 3)), np.float32(1), [0, np.nan], [np.inf, 1], [3e38, 1e39]], ids=str
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_vector_that_is_none(vector):
    assert "allowed is a vector of finite numbers" in error_of(lambda: Style(vector, "fast"))


@pytest.mark.parametrize("weight", [np.nan, np.inf])
@pytest.mark.filterwarnings("ignore:invalid value")
def test_weight_that_is_not_finite(weight):
    error_of(lambda: style(1) * weight)


def test_statistics_mix_whichever_model_measured_them():
    a, b = (style(n, model, VGG19_STATISTICS, 1920) for n, model in enumerate(("fast", "vgg19")))
    assert same(a + b, Style(a.vector + b.vector, "fast", VGG19_STATISTICS))
    shorter = style(2, "paper", VGG19_STATISTICS, 1024)
    assert "different meanings" in error_of(lambda: a + shorter)


def test_what_cannot_be_mixed_says_why():
    old, new = (style(n, "fast", weights * 64, 8) for n, weights in enumerate("ab"))
    other = style(2, "mosaic", "c" * 64, 8)
    statistics = style(3, "vgg19", VGG19_STATISTICS, 8)
    reasons = {
        "styles of 'fast' with weights aaaaaaaaaaaa and of 'fast' with weights bbbbbbbbbbbb": new,
        "styles encoded by 'fast' and 'mosaic'": other,
        "'fast' with weights aaaaaaaaaaaa and of 'vgg19', VGG-19 statistics": statistics,
        "vectors of 8 and 9 numbers": style(4, "fast", "a" * 64, 9),
    }
    for reason, one in reasons.items():
        message = error_of(lambda one=one: old + one)
        assert message.startswith("style: found ") and reason in message
        assert message.endswith("allowed: styles encoded by the same model and weights")


@pytest.mark.parametrize("size", [896, 1024, 1920])
@pytest.mark.parametrize("as_path", [str, Path])
def test_file_gives_back_every_bit(tmp_path, size, as_path):
    kept = style(3, size=size)
    path = as_path(tmp_path / "starry.style")
    kept.save(path)
    assert same(Style.load(path), kept)
    assert os.path.getsize(path) < 20_000
    assert os.listdir(tmp_path) == ["starry.style"]
    with pytest.raises(ValueError, match="read-only"):
        Style.load(path).vector[0] = 1


def test_loaded_style_stylises_as_the_saved_one(stylizer, photo, painting, tmp_path):
    starry = stylizer.encode_style(painting)
    starry.save(tmp_path / "starry.style")
    loaded = Style.load(tmp_path / "starry.style")
    assert np.array_equal(stylizer.stylize(photo, loaded), stylizer.stylize(photo, starry))


def test_save_replaces_an_old_file(tmp_path):
    path = tmp_path / "starry.style"
    style(1).save(path)
    style(2).save(path)
    assert same(Style.load(path), style(2))


@pytest.mark.parametrize("place", ["missing/starry.style", "."])
def test_save_where_nothing_can_be_written(tmp_path, place):
    path = tmp_path / place
    assert error_of(lambda: style(1).save(path)).startswith(f"{path}: found ")
    assert os.listdir(tmp_path) == []


OTHERS = ["missing", "folder", "pipe", "empty", "text", "zeros", "cut short", "other tensors"]
OTHERS += ["other kind", "no style in it", "not finite"]


def write_other(path: Path, kind: str) -> None:
    about = {"kind": "adain style", "model": "fast", "weights": WEIGHTS}
    if kind == "missing":
        return
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("no pipes in folders here")
        os.mkfifo(path)
    elif kind == "other tensors":
        save_file({"weight": np.zeros((3, 3), np.float32)}, path)
    elif kind == "other kind":
        save_file({"style": np.zeros(3, np.float32)}, path, {"model": "fast", "weights": ""})
    elif kind == "no style in it":
        save_file({"weight": np.zeros(3, np.float32)}, path, about)
    elif kind == "not finite":
        save_file({"style": np.full(3, np.nan, np.float32)}, path, about)
    elif kind == "cut short":
        style(1).save(path)
        path.write_bytes(path.read_bytes()[:-1])
    else:
        path.write_bytes({"empty": b"", "text": b"not a style\n" * 9, "zeros": bytes(99)}[kind])


@pytest.mark.parametrize("kind", OTHERS)
def test_load_of_anything_else(tmp_path, kind):
    path = tmp_path / "other.style"
    write_other(path, kind)
    message = error_of(lambda: Style.load(path))
    assert message.startswith(f"{path}: found no style (")
    assert message.endswith("; allowed: a file that Style.save wrote")
