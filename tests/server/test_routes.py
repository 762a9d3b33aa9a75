"""The REST service as a program meets it: results, errors, its description."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from exporting import MOSAIC
from serving import Demo, application, encoded, one_line, picture, pixels, serving, waves

from adain import Stylizer, weights
from adain.errors import DeviceError
from adain.server.engine import Engine
from adain.server.settings import Settings


def ask(
    client: httpx.Client, content: bytes, style: bytes | None = None, **fields: object
) -> httpx.Response:
    files = {"content": ("content.png", content)}
    if style is not None:
        files["style"] = ("style.png", style)
    return client.post("/v1/stylize", files=files, data={k: str(v) for k, v in fields.items()})


def test_results_are_the_stylizers(client: httpx.Client, stylizer: Stylizer) -> None:
    content, style = picture(203, 101, 1), picture(64, 150, 2)
    answer = ask(client, content, style, alpha=0.7)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-adain-size"] == "203x101"
    assert answer.headers["x-adain-device"] == "cpu"
    assert float(answer.headers["x-adain-milliseconds"]) > 0
    wanted = stylizer.stylize(content, style, alpha=0.7)
    assert np.array_equal(pixels(answer.content), np.asarray(wanted))
    small = ask(client, content, style, max_side=100, colours="luminance", smooth=0.5)
    wanted = stylizer.stylize(content, style, max_side=100, colours="luminance", smooth=0.5)
    assert np.array_equal(pixels(small.content), np.asarray(wanted))


def test_formats_and_alpha(client: httpx.Client) -> None:
    content = encoded(np.dstack([waves(40, 30, 1), waves(40, 30, 2)[..., :1]]))
    for format in ("png", "jpeg", "webp"):
        answer = ask(client, content, picture(), format=format, quality=80)
        assert answer.headers["content-type"] == f"image/{format}"
        channels = 3 if format == "jpeg" else 4
        assert pixels(answer.content).shape == (30, 40, channels)


def test_a_style_is_encoded_once_and_used_by_its_id(
    client: httpx.Client, stylizer: Stylizer
) -> None:
    style = picture(90, 90, 5)
    answer = client.post("/v1/styles", files={"file": ("a.png", style)})
    assert answer.status_code == 200
    about = answer.json()
    assert about["model"] == "fast"
    vector = stylizer.encode_style(style).vector
    assert np.array_equal(np.array(about["vector"], np.float32), vector)
    content = picture(80, 60, 6)
    again = ask(client, content, style_id=about["id"])
    wanted = stylizer.stylize(content, style)
    assert np.array_equal(pixels(again.content), np.asarray(wanted))
    refused = ask(client, content, style_id=about["id"], colours="matched")
    assert refused.status_code == 400


def test_lists(client: httpx.Client) -> None:
    names = [each["name"] for each in client.get("/v1/styles").json()["styles"]]
    assert "night" in names
    assert ask(client, picture(), style_id="night").status_code == 200
    fast = client.get("/v1/models").json()["models"][0]
    assert fast["name"] == "fast"
    assert fast["device"] == "cpu"
    assert "fp32" in fast["precisions"]
    path = weights.find_model("fast")["decoder"]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert {"name": path.name, "sha256": digest} in fast["files"]


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"alpha": "1.5"}, 422, "alpha: "),
        ({"alpha": "nan"}, 422, "alpha: "),
        ({"smooth": "1.5"}, 422, "smooth: "),
        ({"model": "vgg16"}, 422, "model: "),
        ({"max_side": "0"}, 422, "max_side: "),
        ({"format": "gif"}, 422, "format: "),
        ({"quality": "101"}, 422, "quality: "),
        ({"colours": "none"}, 422, "colours: "),
        ({"style": None}, 422, "neither"),
        ({"style": None, "style_id": "../../etc/passwd"}, 400, "style_id: "),
        ({"style": b"no picture"}, 400, "style: "),
        ({"content": b""}, 400, "content: "),
    ],
)
def test_mistakes_are_one_line(
    client: httpx.Client, fields: dict[str, object], status: int, said: str
) -> None:
    files = {"content": picture(), "style": picture()}
    files = {name: fields.get(name, data) for name, data in files.items()}
    plain = {name: value for name, value in fields.items() if name not in files}
    answer = client.post(
        "/v1/stylize",
        files={name: ("a.png", data) for name, data in files.items() if data is not None},
        data=plain,
    )
    assert answer.status_code == status
    problem(answer, said)


def problem(answer: httpx.Response, said: str) -> None:
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"error"}
    assert said in body["error"]
    assert "\n" not in body["error"]


def test_other_addresses_methods_and_bodies(client: httpx.Client) -> None:
    for path in ("/v1", "/v1/", "/v1/nothing", "/v1/stylize/", "/healthz/more"):
        answer = client.get(path)
        assert answer.status_code == 404
        problem(answer, "")
    answer = client.get("/v1/stylize")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    problem(answer, "")
    answer = client.post("/v1/stylize", json={"content": "file:///etc/passwd"})
    assert answer.status_code == 415
    problem(answer, "multipart/form-data")
    answer = client.post("/v1/stylize", headers={"Content-Type": "multipart/form-data"}, content="")
    assert answer.status_code == 400
    problem(answer, "")


def asked_in_this_process(
    engine: Engine, content: bytes = picture(), *others: tuple[str, tuple[str, bytes]]
) -> httpx.Response:
    app = application(engine)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
            files = [("content", ("a.png", content)), ("style", ("b.png", picture())), *others]
            return await client.post("/v1/stylize", files=files)

    try:
        return asyncio.run(ask())
    finally:
        engine.close()


def test_a_failure_of_the_runtime_is_the_servers_fault(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("CUDA failure 2: out of memory ; GPU=0")

    monkeypatch.setattr("adain.sessions.Sessions.run", fail)
    answer = asked_in_this_process(Engine(Settings(), "cpu"))
    assert answer.status_code == 500
    assert one_line(answer).startswith("the server failed: ONNX Runtime could not run the ")
    assert "CUDA failure 2: out of memory" in caplog.text


def test_a_broken_model_is_the_servers_fault_and_its_folder_is_not_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise DeviceError("/srv/models/adain-fast-encoder.onnx: found a file that is broken")

    monkeypatch.setattr(Engine, "stylizer", broken)
    answer = asked_in_this_process(Engine(Settings(), "cpu"))
    assert answer.status_code == 500
    line = "the server failed: adain-fast-encoder.onnx: found a file that is broken"
    assert one_line(answer) == line
    assert "/srv/models/" in caplog.text


def test_a_picture_beyond_the_memory_limit_is_the_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adain.server.engine._share_of_memory", lambda: 14_000_000)
    answer = asked_in_this_process(Engine(Settings(), "cpu"), picture(1600, 1600))
    assert answer.status_code == 400
    assert one_line(answer).startswith("memory_limit: found 14,000,000 bytes, which the ")


def test_masks_are_for_pictures_that_fit_the_memory() -> None:
    mask = ("mask", ("c.png", picture()))
    answer = asked_in_this_process(Engine(Settings(), "cpu"), picture(1200, 1000), mask)
    assert answer.status_code == 400
    found = "content: found 1,200 x 1,000 pixels with masks; allowed: at most 1,048,576 pixels"
    assert one_line(answer) == f"{found}, such as with a max_side of 1121"


def test_no_result_belongs_to_another(running: Demo, stylizer: Stylizer) -> None:
    style = picture(64, 64, 99)
    contents = {seed: picture(48 + seed % 5, 40, seed) for seed in range(48)}
    wanted = {seed: np.asarray(stylizer.stylize(data, style)) for seed, data in contents.items()}

    async def client_of(number: int, client: httpx.AsyncClient) -> list[int]:
        statuses = []
        for seed in range(number, 48, 16):
            files = {"content": ("a.png", contents[seed]), "style": ("b.png", style)}
            answer = await client.post("/v1/stylize", files=files)
            statuses.append(answer.status_code)
            if answer.status_code == 200:
                assert np.array_equal(pixels(answer.content), wanted[seed])
        return statuses

    async def all_of_them() -> list[int]:
        async with running.async_client() as client:
            found = await asyncio.gather(*(client_of(number, client) for number in range(16)))
        return [status for statuses in found for status in statuses]

    statuses = asyncio.run(all_of_them())
    assert statuses == [200] * 48  # the queue is longer than there are clients


def test_health(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready"}


def test_what_the_description_says_holds(
    running: Demo, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    schemathesis = pytest.importorskip("schemathesis")
    from hypothesis import HealthCheck, Phase, given, settings
    from schemathesis import GenerationMode
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    bounded = settings(
        max_examples=20,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    # What is a picture no description can say.
    excluded = [positive_data_acceptance]

    def conforms(case: Any) -> None:
        case.call_and_validate(base_url=running.address, excluded_checks=excluded)

    schema = schemathesis.openapi.from_dict(client.get("/v1/openapi.json").json())
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) == 14
    for operation in operations:
        assert "Problem" in json.dumps(operation.definition.raw["responses"])
        modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
        for mode in modes if operation.body else modes[:1]:  # without a body nothing is negative
            cases = operation.as_strategy(generation_mode=mode)
            bounded(given(case=cases)(conforms))()


# An imported model


@pytest.fixture(scope="module")
def everything(imported: Path) -> Iterator[httpx.Client]:
    with serving(XDG_CACHE_HOME=str(imported.parent)) as demo, demo.client() as client:
        yield client


@pytest.fixture
def mosaic(imported: Path, monkeypatch: pytest.MonkeyPatch) -> Stylizer:
    monkeypatch.setenv("XDG_CACHE_HOME", str(imported.parent))
    return Stylizer(MOSAIC, "cpu")


def test_an_imported_model_is_served(everything: httpx.Client, mosaic: Stylizer) -> None:
    about = everything.get("/v1/models").json()["models"][-1]
    assert (about["name"], about["precisions"]) == (MOSAIC, ["fp32", "fp16"])
    assert about["licence"].startswith("decoder CC BY 4.0; ") and len(about["files"]) == 4
    style = picture(50, 50, 2)
    wanted = np.asarray(mosaic.stylize(picture(60, 40, 1), style))
    answer = ask(everything, picture(60, 40, 1), style, model=MOSAIC)
    assert np.array_equal(pixels(answer.content), wanted)
    encoded = everything.post(
        "/v1/styles", files={"file": ("b.png", style)}, data={"model": MOSAIC}
    )
    assert len(encoded.json()["vector"]) == 1024
    name = encoded.json()["id"]
    again = ask(everything, picture(60, 40, 1), style_id=name, model=MOSAIC)
    assert np.array_equal(pixels(again.content), wanted)


@pytest.mark.parametrize(("model", "status"), [("vgg16", 422), ("x" * 41, 422), ("paper", 400)])
def test_other_names_of_models_are_one_line(
    everything: httpx.Client, model: str, status: int
) -> None:
    here = [each["name"] for each in everything.get("/v1/models").json()["models"]]
    if model in here:
        pytest.skip(f"{model} is here")
    answer = ask(everything, picture(60, 40, 1), picture(), model=model)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error.startswith("model: ") and "\n" not in error
    if len(model) < 41:
        assert error.endswith(f"allowed: {weights.one_of(here)}")
