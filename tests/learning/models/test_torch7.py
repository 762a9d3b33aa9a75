"""Files of torch7, written here as Lua's torch.save writes them, and read as decoders."""

from __future__ import annotations

import itertools
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import error_of

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from adain.learning.models.decoders import POSITIONS, SHAPES, read_decoder
from adain.learning.models.torch7 import Module, Reader


class Writer:
    """Lua's serialization of numbers, strings, tables, tensors and modules."""

    def __init__(self) -> None:
        self._indices = itertools.count(1)

    def write(self, value: Any) -> bytes:
        if value is None:
            return _int(0)
        if isinstance(value, bool):
            return _int(5) + _int(value)
        if isinstance(value, (int, float)):
            return _int(1) + struct.pack("<d", value)
        if isinstance(value, str):
            return _int(2) + _text(value)
        if isinstance(value, dict):
            pairs = (self.write(key) + self.write(each) for key, each in value.items())
            return _int(3) + _int(next(self._indices)) + _int(len(value)) + b"".join(pairs)
        if isinstance(value, Module):
            return self._torch(value.kind) + self.write(value.fields)
        names = {"<f4": "Float", "<f8": "Double", "<f2": "Half"}
        name = names[value.dtype.str]
        shape, strides = value.shape, [n // value.itemsize for n in value.strides]
        longs = struct.pack(f"<{2 * value.ndim + 1}q", *shape, *strides, 1)
        whole = value if value.base is None else value.base
        storage = struct.pack("<q", whole.size) + whole.tobytes()
        tensor = self._torch(f"torch.{name}Tensor") + _int(value.ndim) + longs
        return tensor + self._torch(f"torch.{name}Storage") + storage

    def _torch(self, kind: str) -> bytes:
        return _int(4) + _int(next(self._indices)) + _text("V 1") + _text(kind)


def _int(value: int) -> bytes:
    return struct.pack("<i", value)


def _text(value: str) -> bytes:
    return _int(len(value)) + value.encode()


def convolution(weight, bias, kind="nn.SpatialConvolution"):
    planes = dict(zip(("nOutputPlane", "nInputPlane", "kH", "kW"), weight.shape, strict=True))
    if kind.endswith("MM"):
        weight = weight.reshape(len(weight), -1)
    return Module(kind, {"weight": weight, "bias": bias, "train": False, **planes})


@pytest.fixture(scope="module")
def tensors():
    random = np.random.default_rng(0)
    return {key: random.normal(0, 0.02, shape).astype("<f4") for key, shape in SHAPES.items()}


def decoder(tensors, *more, kind="nn.SpatialConvolution"):
    layers = []
    for position in POSITIONS:
        pair = (tensors[f"{position}.{name}"] for name in ("weight", "bias"))
        layers += [Module("nn.SpatialReflectionPadding", {"pad_l": 1}), convolution(*pair, kind)]
        layers.append(Module("nn.ReLU", {}))
        if position in (1, 14, 21):
            layers.append(Module("nn.SpatialUpSamplingNearest", {"scale_factor": 2}))
    first, rest = layers[:4], layers[4:]
    inner = Module("nn.Sequential", {"modules": dict(enumerate(rest, 1))})
    return Module("nn.Sequential", {"modules": dict(enumerate([*first, inner, *more], 1))})


def saved(path: Path, value: Any) -> Path:
    path.write_bytes(Writer().write(value))
    return path


@pytest.mark.parametrize(
    "kind", ["nn.SpatialConvolution", "cudnn.SpatialConvolution", "nn.SpatialConvolutionMM"]
)
def test_a_decoder(tensors, tmp_path, kind):
    found = read_decoder(saved(tmp_path / "decoder.t7", decoder(tensors, kind=kind)))
    assert found.keys() == SHAPES.keys()
    for key, tensor in found.items():
        assert np.array_equal(tensor.numpy(), tensors[key])


def test_objects_and_views():
    turned = np.arange(6, dtype="<f8").reshape(2, 3).T
    given = {"a": turned, "b": [None, True, 2.5][2], "c": {1: "text"}, "d": None, "e": True}
    found = Reader(Writer().write(given)).read()
    assert np.array_equal(found["a"], turned) and found["a"].shape == (3, 2)
    assert (found["b"], found["c"], found["d"], found["e"]) == (2.5, {1.0: b"text"}, None, True)
    # A function, which nobody runs, and a table that holds itself.
    function = _int(8) + _int(7) + _text("code") + _int(0)
    assert Reader(function).read() is None
    itself = _int(3) + _int(1) + _int(1) + Writer().write("own") + _int(3) + _int(1)
    found = Reader(itself).read()
    assert found["own"] is found


def test_what_is_no_decoder_is_refused(tensors, tmp_path):
    def told(value):
        path = saved(tmp_path / "decoder.t7", value)
        return error_of(lambda: read_decoder(path))

    assert "found no network" in told({"a": 1.0})
    assert "found a layer nn.Dropout" in told(decoder(tensors, Module("nn.Dropout", {})))
    parallel = Module("nn.ConcatTable", {"modules": {1: Module("nn.ReLU", {})}})
    assert "found a layer nn.ConcatTable" in told(decoder(tensors, parallel))
    assert "found 1 convolutions; allowed: 9" in told(
        Module(
            "nn.Sequential",
            {"modules": {1: convolution(np.ones((3, 2, 3, 3), "<f4"), np.ones(3, "<f4"))}},
        )
    )
    wrong = tensors | {"28.weight": np.ones((4, 64, 3, 3), "<f4")}
    assert "28.weight of shape [4, 64, 3, 3]; allowed: shape [3, 64, 3, 3]" in told(decoder(wrong))
    infinite = tensors | {"28.bias": np.full(3, np.inf, "<f4")}
    assert "28.bias with 3 numbers that are not finite" in told(decoder(infinite))


def test_a_damaged_file_is_one_line(tensors, tmp_path):
    data = Writer().write(decoder(tensors))
    path = tmp_path / "decoder.t7"
    random = np.random.default_rng(1)
    longs = struct.pack("<3q", 2**40, 0, 1)
    huge = _int(4) + _int(1) + _text("V 1") + _text("torch.FloatTensor") + _int(1) + longs
    cases = [b"", b"\0" * 9, data[:-5], data[:40], huge, b"\3\0\0\0\1\0\0\0\1\0\0\0" * 2000]
    for _ in range(40):
        changed = bytearray(data[:3000])
        changed[random.integers(3000)] ^= 1 << random.integers(8)
        cases.append(bytes(changed))
    for case in cases:
        path.write_bytes(case)
        message = error_of(lambda: read_decoder(path))
        assert message.startswith(f"{path}: found ") and "\n" not in message
