"""Bodies of the Open Inference Protocol: what is one, and what is not."""

import json
import struct

import numpy as np
import pytest
from helpers import error_of

from adain.server.inference.protocol import JSON_LENGTH, Call, Signature, decode, encode

INPUTS = [Signature("image", "FP32", ("N", 3, "H")), Signature("mask", "UINT8", ("N",))]
OUTPUTS = [Signature("out", "FP32", ("N",)), Signature("half", "FP16", ("N",))]


def body(*inputs: dict, data: bytes = b"", **more: object) -> tuple[bytes, str]:
    text = json.dumps({"inputs": list(inputs), **more}).encode()
    return text + data, str(len(text))


def tensor(name: str, datatype: str, shape: object, data: object = None, size: object = None):
    told = {"name": name, "datatype": datatype, "shape": shape}
    if data is not None:
        told["data"] = data
    return told | ({"parameters": {"binary_data_size": size}} if size is not None else {})


MASK = tensor("mask", "UINT8", [2], [0, 255])
IMAGE = tensor("image", "FP32", [1, 3, 1], [0, 0.5, 1])


def test_numbers_and_bytes_are_the_same_tensors():
    told = body(MASK, IMAGE, outputs=[{"name": "out"}], id="a")
    call = decode(*told, INPUTS, OUTPUTS)
    assert call.id == "a" and call.outputs == {"out": False}
    binary = [
        tensor("mask", "UINT8", [2], size=2),
        tensor("image", "FP32", [1, 3, 1], size=12),
    ]
    data = b"\0\xff" + struct.pack("<3f", 0, 0.5, 1)
    told = body(*binary, data=data, parameters={"binary_data_output": True})
    same = decode(*told, INPUTS, OUTPUTS)
    assert same.outputs == {"out": True, "half": True}
    for name, values in call.inputs.items():
        assert np.array_equal(values, same.inputs[name]) and same.inputs[name].flags.aligned


def test_answers_have_numbers_or_bytes():
    values = {"out": np.float32([1, 2]), "half": np.float16([0.5])}
    told, headers = encode("m", "1", Call("a", {}, {"out": False}), values)
    assert json.loads(told)["outputs"] == [
        {"name": "out", "datatype": "FP32", "shape": [2], "data": [1, 2]}
    ]
    assert json.loads(told)["id"] == "a" and headers == {"Content-Type": "application/json"}
    told, headers = encode("m", "1", Call("", {}, {"half": True, "out": True}), values)
    length = int(headers[JSON_LENGTH])
    sizes = [o["parameters"]["binary_data_size"] for o in json.loads(told[:length])["outputs"]]
    assert sizes == [2, 8] and told[length:] == struct.pack("<eff", 0.5, 1, 2)
    message = error_of(lambda: encode("m", "1", Call("", {}, {"half": False}), values))
    assert message.startswith("half: found 1 numbers of float16 as JSON")


MISTAKES = {
    "the request: found a body that is none (JSONDecodeError": (b"{", None),
    "the request: found a body that is none (KeyError: 'inputs')": (b"{}", None),
    "the request: found a body that is none (TypeError": (b"[]", None),
    "the request: found a body that is none (RecursionError": (b"[" * 100_000, None),
    "Inference-Header-Content-Length: found '9'": (b"{}", "9"),
    "Inference-Header-Content-Length: found '-1'": (b"{}", "-1"),
    "the request: found 1,000,002 bytes of JSON": (b" " * 1_000_002, None),
    "inputs: found no mask": body(IMAGE),
    "inputs: found 'other'; allowed: ": body(tensor("other", "FP32", [1])),
    "inputs: found 'mask'; allowed: image": body(MASK, MASK),
    "mask: found 'FP32'; allowed: UINT8": body(tensor("mask", "FP32", [1], [1])),
    "mask: found the shape [0]; allowed: [N]": body(tensor("mask", "UINT8", [0], [])),
    "mask: found the shape [1, 1]": body(tensor("mask", "UINT8", [1, 1], [1])),
    "mask: found the shape [1.0]": body(tensor("mask", "UINT8", [1.0], [1])),
    "image: found the shape [1, 4, 1]": body(tensor("image", "FP32", [1, 4, 1], [1] * 4)),
    "mask: found numbers that are no UINT8": body(tensor("mask", "UINT8", [1], [256])),
    "mask: found 2 numbers; allowed: 1": body(tensor("mask", "UINT8", [1], [1, 2])),
    "mask: found 4 bytes of 2": body(tensor("mask", "UINT8", [4], size=4), data=b"12"),
    "mask: found 2 bytes of 2; allowed: 4": body(tensor("mask", "UINT8", [4], size=2), data=b"12"),
    "the request: found 1 bytes that are no tensor's": body(MASK, IMAGE, data=b"1"),
    "outputs: found 'other'; allowed: out, half": body(MASK, IMAGE, outputs=[{"name": "other"}]),
}


@pytest.mark.parametrize("message", MISTAKES)
def test_mistakes_are_told(message):
    assert error_of(lambda: decode(*MISTAKES[message], INPUTS, OUTPUTS)).startswith(message)
