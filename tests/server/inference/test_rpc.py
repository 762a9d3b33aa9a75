"""The same protocol over gRPC, as Triton's client speaks it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnxruntime
import pytest
from serving import SERVICE, serving, waves

triton = pytest.importorskip("tritonclient.grpc", reason="no tritonclient here")
from tritonclient.grpc.auth import BasicAuth
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from adain.cli.main import cli
from adain.cli.run import run
from adain.weights import look_for
from tools.browser import free_port

INPUTS = {
    "content": waves(64, 48, 0)[None],
    "style": waves(80, 60, 1)[None],
    "alpha": np.float32([1]),
}


@pytest.fixture(scope="module")
def speaker() -> Iterator[object]:
    port = free_port()
    options = ("--grpc-port", str(port), "--auth", "ann:secret", "--max-upload", "100kB")
    with serving(*options, program=SERVICE):
        yield triton.InferenceServerClient(f"127.0.0.1:{port}")


def infer(speaker, **inputs: np.ndarray) -> np.ndarray:
    given = []
    for name, values in inputs.items():
        given.append(triton.InferInput(name, values.shape, np_to_triton_dtype(values.dtype)))
        given[-1].set_data_from_numpy(values)
    wanted = [triton.InferRequestedOutput("stylized")]
    answer = speaker.infer("adain-fast", given, outputs=wanted, request_id="one")
    assert answer.get_response().id == "one"
    return answer.as_numpy("stylized")


def refused(call, code: str, message: str) -> None:
    with pytest.raises(InferenceServerException) as caught:
        call()
    assert caught.value.status() == f"StatusCode.{code}", caught.value
    assert caught.value.message().startswith(message)


def test_a_picture_by_grpc(speaker):
    assert speaker.is_server_live() and speaker.is_server_ready()
    refused(lambda: infer(speaker, **INPUTS), "UNAUTHENTICATED", "found no or another name")
    speaker.register_plugin(BasicAuth("ann", "secret"))
    assert speaker.is_model_ready("adain-fast", "1")
    assert speaker.get_server_metadata().name == "adain"
    about = speaker.get_model_metadata("adain-fast")
    assert [*about.inputs[0].shape] == [-1, -1, -1, 3] and about.outputs[0].datatype == "UINT8"
    session = onnxruntime.InferenceSession(look_for("adain-fast.onnx"))
    (expected,) = session.run(None, INPUTS)
    assert np.abs(infer(speaker, **INPUTS).astype(int) - expected).max() <= 1
    for inputs, message in (
        (INPUTS | {"content": INPUTS["alpha"]}, "content: found 'FP32'; allowed: UINT8"),
        ({"alpha": INPUTS["alpha"]}, "inputs: found no content"),
    ):
        refused(lambda given=inputs: infer(speaker, **given), "INVALID_ARGUMENT", message)
    refused(lambda: speaker.get_model_metadata("none"), "NOT_FOUND", "model: found 'none'")
    large = INPUTS | {"content": np.zeros((1, 400, 400, 3), np.uint8)}
    refused(lambda: infer(speaker, **large), "RESOURCE_EXHAUSTED", "")


def test_the_messages_are_an_extra(monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "grpc", None)
    assert run(cli, ["serve", "--grpc-port", "9"]) == 2
    said = capsys.readouterr().err
    assert said == "Error: --grpc-port needs gRPC: pip install 'adain[grpc]'\n"
