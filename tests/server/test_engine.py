"""The engine: models opened once and two at a time, pictures kept, memory given back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from serving import PATIENCE, picture

from adain import AdaINError, sessions, weights
from adain.errors import DeviceError
from adain.images.picture import Picture
from adain.server import engine as module
from adain.server.engine import OPEN_MODELS, Engine
from adain.server.settings import Settings


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine(Settings(timeout=PATIENCE, max_pixels=10_000), device="cpu")
    yield engine
    engine.close()


def test_pictures_are_kept_and_checked(engine: Engine, tmp_path: Path) -> None:
    data = picture(40, 30)
    first = engine.picture(data)
    assert engine.picture(data) is first
    assert engine.cache_hits == 1
    assert engine.picture(data, 20).width == 20
    path = tmp_path / "a.png"
    path.write_bytes(data)
    kept = engine.picture(path)
    assert np.array_equal(kept.rgb, first.rgb)
    path.write_bytes(picture(41, 30))
    assert engine.picture(path).width == 41
    with pytest.raises(AdaINError, match="10,000 pixels"):
        engine.picture(picture(101, 100))


def test_a_model_is_opened_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []
    open_session = sessions.open_session

    def counted(file: Path, *arguments: Any) -> Any:
        opened.append(file)
        return open_session(file, *arguments)

    monkeypatch.setattr(sessions, "open_session", counted)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(engine.stylizer("fast"))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and len(set(map(id, found))) == 1
    assert sorted(opened) == sorted(weights.find_model("fast").values())
    assert engine.devices == {"fast": "cpu"}
    with pytest.raises(AdaINError, match="model") as caught:
        engine.stylizer("none")
    assert not isinstance(caught.value, DeviceError)


def test_two_models_stay_open(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []

    class Opened:
        device = "cuda:0"

        def __init__(self, model: str, device: str) -> None:
            opened.append(model)

    monkeypatch.setattr(module, "Stylizer", Opened)
    monkeypatch.setattr(module, "choose_device", lambda *_: ("cuda", 0))
    monkeypatch.setattr(weights, "find_model", lambda _: {"encoder": Path("encoder.onnx")})
    engine = Engine(Settings())
    assert engine.devices == {} and OPEN_MODELS == 2
    for model in ("fast", "a", "fast", "b", "fast", "a"):
        engine.stylizer(model)
    assert opened == ["fast", "a", "b", "a"]
    assert engine.devices == {"fast": "cuda:0", "a": "cuda:0"}
    engine.close()


def test_a_model_that_cannot_be_opened_is_the_servers_fault(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files = dict(weights.find_model("fast"))
    files["decoder"] = tmp_path / "decoder.onnx"
    files["decoder"].write_bytes(b"no model")
    monkeypatch.setattr(weights, "find_model", lambda *_: files)
    with pytest.raises(DeviceError, match="ONNX Runtime cannot open"):
        engine.stylizer("fast")


def test_the_memory_of_a_large_picture_is_given_back(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []
    give_back = "adain.sessions.Sessions.give_back_memory"
    monkeypatch.setattr(give_back, lambda sessions: given.append(sessions))
    monkeypatch.setattr(module, "LARGE", 80 * 60)

    def stylize(data: bytes) -> None:
        content = engine.picture(data)
        with engine.queue.computing():
            engine.stylizer().stylize(content, data)

    engine.queue.run(lambda: stylize(picture(80, 60)))
    assert given == []
    engine.queue.run(lambda: stylize(picture(81, 60)))
    assert len(given) == 1


def test_a_request_that_the_memory_does_not_suffice_for(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_share_of_memory", lambda: 14_000_000)
    data = picture(64, 48)
    content = engine.picture(data).resized(2000, 2000)

    def stylize(content: Picture) -> Picture:
        with engine.queue.computing():
            return engine.stylizer().stylize(content, data)

    with pytest.raises(AdaINError, match=r"memory_limit: found 14,000,000 bytes") as caught:
        engine.queue.run(lambda: stylize(content))
    assert not isinstance(caught.value, DeviceError)  # a smaller picture fits
    assert caught.value.__context__ is None
    assert engine.queue.run(lambda: stylize(engine.picture(data))).width == 64
