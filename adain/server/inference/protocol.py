"""The Open Inference Protocol, version 2, over HTTP: tensors in requests and answers.

JSON, after which with the extension for binary data come the tensors' bytes, little-endian and row
by row; ``Inference-Header-Content-Length`` is then the length of the JSON. KServe and Triton speak
it: https://kserve.github.io/website/latest/modelserving/data_plane/v2_protocol/
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from adain.errors import AdaINError, found_error

# There is one of each model.
VERSION = "1"
PLATFORM = "onnxruntime_onnx"
JSON_LENGTH = "Inference-Header-Content-Length"
# Bytes of JSON that are read, and numbers that are written as JSON: text takes many times their
# memory. Larger tensors are binary.
MOST_JSON = 1_000_000
MOST_NUMBERS = 1_000_000
# ONNX Runtime's types by the names of the protocol, and numpy's.
DATATYPES = {"UINT8": "tensor(uint8)", "FP32": "tensor(float)", "FP16": "tensor(float16)"}
_NUMPY: dict[str, np.dtype[Any]] = {
    "UINT8": np.dtype("u1"),
    "FP32": np.dtype("<f4"),
    "FP16": np.dtype("<f2"),
}

Tensor: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True)
class Signature:
    """A tensor of a model: its name, datatype, and shape, whose free axes are names."""

    name: str
    datatype: str
    shape: Sequence[int | str]

    @classmethod
    def of(cls, name: str, values: Tensor) -> Signature:
        word = next(word for word, kind in _NUMPY.items() if kind == values.dtype)
        return cls(name, word, values.shape)

    @property
    def about(self) -> dict[str, Any]:
        shape = [size if isinstance(size, int) else -1 for size in self.shape]
        return {"name": self.name, "datatype": self.datatype, "shape": shape}


@dataclass(frozen=True)
class Call:
    """What a request asks for: its tensors, and the outputs, each binary or not."""

    id: str
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, bool]


def decode(
    body: bytes, length: str | None, inputs: Sequence[Signature], outputs: Sequence[Signature]
) -> Call:
    """The call in a body whose JSON has this ``length``, None for all of it.

    Raises AdaINError where it is none of the protocol, or not for the model of these tensors.
    """
    end = len(body) if length is None else int(length) if re.fullmatch(r"\d{1,12}", length) else -1
    if not 0 <= end <= len(body):
        raise found_error(JSON_LENGTH, repr(length)[:40], f"at most the body's {len(body)} bytes")
    if end > MOST_JSON:
        raise found_error("the request", f"{end:,} bytes of JSON", f"{MOST_JSON:,}; binary tensors")
    with _as_mistakes():
        return read(json.loads(body[:end]), memoryview(body)[end:], inputs, outputs)


@contextmanager
def _as_mistakes() -> Iterator[None]:
    """Whatever a body of another form comes to is its sender's mistake."""
    try:
        yield
    except AdaINError:
        raise
    except (LookupError, TypeError, AttributeError, RecursionError, ValueError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        allowed = "one of the Open Inference Protocol, version 2"
        raise found_error("the request", f"a body that is none ({reason})", allowed) from None


def not_raw(found: int, inputs: int) -> AdaINError:
    """The error for a message whose tensors are not as bytes."""
    return found_error("raw_input_contents", f"{found} of them", f"{inputs}, one for each input")


def read(
    told: Any, data: memoryview, inputs: Sequence[Signature], outputs: Sequence[Signature]
) -> Call:
    """The call of a request's JSON, and the bytes of its tensors after it."""
    expected = {tensor.name: tensor for tensor in inputs}
    given: dict[str, Tensor] = {}
    for tensor in told["inputs"]:
        name = tensor["name"]
        if name not in expected or name in given:
            left = ", ".join(expected.keys() - given.keys())
            raise found_error("inputs", repr(name)[:80], left or "no more")
        size = (tensor.get("parameters") or {}).get("binary_data_size")
        given[name] = _array(tensor, expected[name], data, size)
        data = data[size or 0 :]
    if len(given) < len(expected):
        raise found_error("inputs", f"no {min(expected.keys() - given.keys())}", "all of the model")
    if len(data):
        raise found_error("the request", f"{len(data)} bytes that are no tensor's", "none")
    binary = bool((told.get("parameters") or {}).get("binary_data_output", False))
    wanted = told.get("outputs") or [{"name": tensor.name} for tensor in outputs]
    asked = {
        tensor["name"]: bool((tensor.get("parameters") or {}).get("binary_data", binary))
        for tensor in wanted
    }
    names = [tensor.name for tensor in outputs]
    for name in asked:
        if name not in names:
            raise found_error("outputs", repr(name)[:80], ", ".join(names))
    return Call(str(told.get("id") or "")[:100], given, asked)


def _array(tensor: Any, like: Signature, data: memoryview, size: Any) -> Tensor:
    """A tensor of a request, if it is one as the model takes it."""
    name, shape, kind = like.name, tensor["shape"], _NUMPY[like.datatype]
    if tensor["datatype"] != like.datatype:
        raise found_error(name, repr(tensor["datatype"])[:40], like.datatype)
    fits = len(shape) == len(like.shape) and all(
        type(found) is int and 1 <= found < 2**31 and (isinstance(own, str) or found == own)
        for found, own in zip(shape, like.shape, strict=False)
    )
    if not fits:
        allowed = f"[{', '.join(map(str, like.shape))}]"
        raise found_error(name, f"the shape {shape}"[:100], allowed)
    count = math.prod(shape)
    if size is None:
        if like.datatype == "FP16":
            raise found_error(name, "FP16 in JSON", "binary data")
        values = np.array(tensor["data"], dtype=np.float64).reshape(-1)
        if kind.kind == "u" and not ((values >= 0) & (values <= 255) & (values % 1 == 0)).all():
            raise found_error(name, "numbers that are no UINT8", "0 to 255")
        with np.errstate(over="ignore"):
            array = values.astype(kind)
    else:
        if size != count * kind.itemsize or size > len(data):
            allowed = f"{count * kind.itemsize}, the shape's, all of them in the body"
            raise found_error(name, f"{size} bytes of {len(data)}"[:80], allowed)
        array = np.require(np.frombuffer(data[:size], kind), requirements="A")
    if array.size != count:
        raise found_error(name, f"{array.size} numbers", f"{count}, the shape's")
    return array.reshape(shape)


def check_json_outputs(call: Call, values: Mapping[str, Tensor]) -> None:
    """Raise AdaINError for answers too large for JSON."""
    for name, binary in call.outputs.items():
        if not binary and (values[name].size > MOST_NUMBERS or values[name].dtype == np.float16):
            found = f"{values[name].size:,} numbers of {values[name].dtype} as JSON"
            raise found_error(name, found, f"{MOST_NUMBERS:,} that are not float16; binary data")


def encode(
    model: str, version: str, call: Call, values: Mapping[str, Tensor]
) -> tuple[bytes, dict[str, str]]:
    """An answer's body and headers."""
    check_json_outputs(call, values)
    told: list[dict[str, Any]] = []
    parts: list[bytes] = []
    for name, binary in call.outputs.items():
        value = values[name]
        about = Signature.of(name, value).about
        if binary:
            parts.append(value.tobytes())
            told.append(about | {"parameters": {"binary_data_size": len(parts[-1])}})
        else:
            told.append(about | {"data": value.reshape(-1).tolist()})
    answer = {"model_name": model, "model_version": version, "outputs": told}
    text = json.dumps(answer | ({"id": call.id} if call.id else {})).encode()
    if not parts:
        return text, {"Content-Type": "application/json"}
    headers = {"Content-Type": "application/octet-stream", JSON_LENGTH: str(len(text))}
    return b"".join([text, *parts]), headers
