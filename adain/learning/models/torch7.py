"""torch7's binary serialization: the files of Lua's ``torch.save``, read as data alone.

Lua's functions in a file are passed over, so nothing in it is executed. Numbers are little-endian
and a long has 8 bytes, as on the machines that networks were trained on.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from adain.errors import found_error

_NIL, _NUMBER, _STRING, _TABLE, _TORCH, _BOOLEAN, _FUNCTION, _OLD_RECURSIVE, _RECURSIVE = range(9)
_DTYPES = {
    "Float": "<f4",
    "Cuda": "<f4",
    "Double": "<f8",
    "CudaDouble": "<f8",
    "Half": "<f2",
    "CudaHalf": "<f2",
    "Byte": "<u1",
    "Char": "<i1",
    "Short": "<i2",
    "Int": "<i4",
    "Long": "<i8",
}
# Where Lua's tables refer to each other, deeper ones are no network.
_DEEPEST = 100


@dataclass
class Module:
    """A torch object that is no tensor: its class, such as ``nn.ReLU``, and its fields."""

    kind: str
    fields: dict[Any, Any]


class Reader:
    """The objects of a file, one after another; ValueError where it is not of this format."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at, self._depth = data, 0, 0
        self._known: dict[int, Any] = {}

    def read(self) -> Any:
        """The next object: None, float, bool, bytes, dict, Module, Tensor's or Storage's array."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError("objects within objects without end")
        try:
            return self._object(self._int())
        finally:
            self._depth -= 1

    def _object(self, kind: int) -> Any:
        if kind == _NIL:
            return None
        if kind == _NUMBER:
            return struct.unpack("<d", self._bytes(8))[0]
        if kind == _BOOLEAN:
            return self._int() != 0
        if kind == _STRING:
            return self._bytes(self._int())
        if kind == _FUNCTION:
            return self._function()
        if kind not in (_TABLE, _TORCH, _OLD_RECURSIVE, _RECURSIVE):
            raise ValueError(f"an object of kind {kind}")
        index = self._int()
        if index not in self._known:
            if kind == _TABLE:
                self._table(self._known.setdefault(index, {}))
            elif kind == _TORCH:
                self._torch(index)
            else:
                self._known[index] = None
                self._function()
        return self._known[index]

    def _table(self, found: dict[Any, Any]) -> None:
        for _ in range(self._int()):
            key, value = self.read(), self.read()
            if isinstance(key, (bytes, float, bool)):
                found[key.decode("latin-1") if isinstance(key, bytes) else key] = value

    def _function(self) -> None:
        self._bytes(self._int())
        self.read()

    def _torch(self, index: int) -> None:
        name = self._bytes(self._int())
        if name.startswith(b"V "):
            name = self._bytes(self._int())
        kind = name.decode("latin-1")
        family, _, short = kind.partition(".")
        if family == "torch" and short.endswith("Storage"):
            dtype = np.dtype(_DTYPES[short.removesuffix("Storage")])
            data = self._bytes(self._longs(1)[0] * dtype.itemsize)
            self._known[index] = np.frombuffer(data, dtype)
        elif family == "torch" and short.endswith("Tensor"):
            self._known[index] = self._tensor()
        else:
            module = self._known[index] = Module(kind, {})
            fields = self.read()
            module.fields.update(fields if isinstance(fields, dict) else {})

    def _tensor(self) -> npt.NDArray[Any]:
        dimensions = self._int()
        if not 0 <= dimensions <= 8:
            raise ValueError(f"a tensor of {dimensions} dimensions")
        sizes, strides = self._longs(dimensions), self._longs(dimensions)
        (first,) = self._longs(1)
        storage = self.read()
        if storage is None or not dimensions:
            return np.empty(0, np.float32)
        last = first + sum((n - 1) * stride for n, stride in zip(sizes, strides, strict=True))
        if min(*sizes, first) < 1 or min(strides) < 0 or max(last, math.prod(sizes)) > storage.size:
            raise ValueError("a tensor that reaches beyond its numbers")
        in_bytes = [stride * storage.itemsize for stride in strides]
        return np.lib.stride_tricks.as_strided(storage[first - 1 :], sizes, in_bytes).copy()

    def _int(self) -> int:
        return int(struct.unpack("<i", self._bytes(4))[0])

    def _longs(self, count: int) -> tuple[int, ...]:
        return struct.unpack(f"<{count}q", self._bytes(8 * count))

    def _bytes(self, count: int) -> bytes:
        if not 0 <= count <= len(self._data) - self._at:
            raise ValueError("a file that ends too early")
        self._at += count
        return self._data[self._at - count : self._at]


# Beside convolutions, what a decoder of the paper's form is made of; it has no weights.
_PLAIN = {"SpatialReflectionPadding", "ReLU", "SpatialUpSamplingNearest", "Identity"}


def convolutions(path: Path) -> list[tuple[Tensor, Tensor]]:
    """The weights ``[out, in, h, w]`` and biases of a sequential network, in order.

    Raises AdaINError for a network that has other layers, and ValueError, or what NumPy raises, for
    a file that is not of this format.
    """
    network = Reader(path.read_bytes()).read()
    if not isinstance(network, Module):
        raise found_error(str(path), "no network", "a decoder of nn.Sequential")
    found = []
    for module in _layers(network):
        family, _, kind = module.kind.partition(".")
        if kind in ("SpatialConvolution", "SpatialConvolutionMM") and family in ("nn", "cudnn"):
            weight, bias = (torch.from_numpy(module.fields[key]) for key in ("weight", "bias"))
            planes = [int(module.fields[key]) for key in ("nOutputPlane", "nInputPlane")]
            sides = [int(module.fields[key]) for key in ("kH", "kW")]
            found.append((weight.reshape(*planes, *sides), bias))
        elif kind not in _PLAIN:
            raise found_error(str(path), f"a layer {module.kind}", "convolutions and ReLU alone")
    return found


def _layers(module: Module) -> list[Module]:
    inner = module.fields.get("modules")
    if not isinstance(inner, dict):
        return [module]
    if module.kind != "nn.Sequential":
        return [Module(module.kind, {})]
    ordered = [inner[key] for key in sorted(inner)]
    return [layer for each in ordered if isinstance(each, Module) for layer in _layers(each)]
