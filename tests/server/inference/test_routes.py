"""The Open Inference Protocol as Triton's own client speaks it, to our server."""

from __future__ import annotations

import httpx
import numpy as np
import onnxruntime
import pytest
from serving import SERVICE, Demo, serving, waves

triton = pytest.importorskip("tritonclient.http", reason="no tritonclient here")
from tritonclient.http.auth import BasicAuth
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from adain.weights import look_for

CONTENT, STYLE = waves(64, 48, 0)[None], waves(80, 60, 1)[None]


@pytest.fixture
def speaker(running: Demo):
    return triton.InferenceServerClient(running.address.removeprefix("http://"))


def asked(speaker, model: str, outputs: list[str], *, binary: bool = True, **inputs: np.ndarray):
    given = []
    for name, values in inputs.items():
        tensor = triton.InferInput(name, values.shape, np_to_triton_dtype(values.dtype))
        tensor.set_data_from_numpy(values, binary_data=binary)
        given.append(tensor)
    wanted = [triton.InferRequestedOutput(name, binary_data=binary) for name in outputs]
    answer = speaker.infer(model, given, outputs=wanted, request_id="one")
    assert answer.get_response()["id"] == "one"
    return [answer.as_numpy(name) for name in outputs]


def computed(model: str, outputs: list[str], **inputs: np.ndarray):
    session = onnxruntime.InferenceSession(look_for(f"{model}.onnx"))
    return session.run(outputs, inputs)


def test_health_and_metadata(speaker):
    assert speaker.is_server_live() and speaker.is_server_ready()
    assert speaker.is_model_ready("adain-fast") and not speaker.is_model_ready("no-such")
    assert speaker.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    about = speaker.get_model_metadata("adain-fast", "1")
    assert about["versions"] == ["1"] and about["inputs"][0] == {
        "name": "content",
        "datatype": "UINT8",
        "shape": [-1, -1, -1, 3],
    }
    assert [tensor["name"] for tensor in about["outputs"]] == ["stylized"]


@pytest.mark.parametrize("binary", [True, False])
def test_the_whole_file(speaker, binary):
    # Two contents in two styles and strengths.
    inputs = {"content": np.concatenate([CONTENT, 255 - CONTENT])[:, :16, :20]}
    inputs |= {"style": np.concatenate([STYLE, 255 - STYLE])[:, :16, :16]}
    inputs["alpha"] = np.float32([1, 0.5])
    (made,) = asked(speaker, "adain-fast", ["stylized"], binary=binary, **inputs)
    (expected,) = computed("adain-fast", ["stylized"], **inputs)
    assert made.shape == (2, 16, 20, 3) and np.abs(made.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("precision", ["", "-fp16"])
def test_the_split_files_hand_each_other_what_they_give(speaker, precision):
    image = np.random.default_rng(0).random((1, 3, 64, 96), np.float32)
    one = np.ones((1, 1, 1, 1), np.float32)
    results = []
    for run in (lambda *given, **tensors: asked(speaker, *given, **tensors), computed):
        (style,) = run("adain-fast-style", ["style"], image=image)
        names = ["features", "statistics"]
        encoded = dict(
            zip(names, run(f"adain-fast-encoder{precision}", names, image=image), strict=True)
        )
        told = {"image": image, "style": style, "alpha": one, "strength": one, **encoded}
        results += run(f"adain-fast-decoder{precision}", ["stylized"], **told)
    assert np.abs(results[0] - results[1]).max() < 1e-4 and results[0].std() > 0.01


def test_mistakes_are_one_line(speaker, client):
    alpha = np.float32([1])
    for inputs, message in (
        ({"content": CONTENT, "style": STYLE}, "inputs: found no alpha"),
        ({"content": CONTENT.astype(np.float32)}, "content: found 'FP32'; allowed: UINT8"),
        (
            {"content": np.zeros((1, 600, 501, 3), np.uint8), "style": STYLE, "alpha": alpha},
            "content: found 1 x 501 x 600 pixels; allowed: at most 300,000 pixels",
        ),
        (
            {"content": np.repeat(CONTENT, 3, 0), "style": np.repeat(STYLE, 2, 0), "alpha": alpha},
            "inputs: found tensors that do not go together",
        ),
    ):
        with pytest.raises(InferenceServerException) as caught:
            asked(speaker, "adain-fast", ["stylized"], **inputs)
        assert caught.value.message().startswith(message) and caught.value.status() == "400"
    for path in ("/v2/models/no-such", "/v2/models/adain-fast/versions/2", "/v2/no-such"):
        assert client.get(path).status_code == 404
    large = client.post("/v2/models/adain-fast/infer", content=b"0" * 5_000_000)
    assert large.status_code == 413
    packed = client.post(
        "/v2/models/adain-fast/infer", content=b"1", headers={"Content-Encoding": "gzip"}
    )
    assert packed.status_code == 415 and packed.json()["error"].startswith("content-encoding: ")


def test_logins_are_asked_for():
    with serving("--auth", "ann:secret", program=SERVICE) as running:
        speaker = triton.InferenceServerClient(running.address.removeprefix("http://"))
        assert speaker.is_server_live() and speaker.is_server_ready()
        assert httpx.get(f"{running.address}/v2/models/adain-fast").status_code == 401
        assert not speaker.is_model_ready("adain-fast")
        speaker.register_plugin(BasicAuth("ann", "secret"))
        assert speaker.is_model_ready("adain-fast")
