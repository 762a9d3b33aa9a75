"""Where weights are looked for, and downloads from a real server, whole or not at all."""

import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import adain
from adain import AdaINError, registry, weights

PACKAGE = Path(adain.__file__).resolve().parent
PAYLOAD = os.urandom(300_000)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        if self.path == "/chunked-cut":
            self.protocol_version = "HTTP/1.1"
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n" % len(PAYLOAD) + PAYLOAD[:1000])
            return
        if self.path != "/unsized":
            self.send_header("Content-Length", str(len(PAYLOAD)))
        self.end_headers()
        self.wfile.write(PAYLOAD[: 100_000 if self.path == "/cut" else None])

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two chosen folders and the cache, all of this test alone."""
    chosen = [tmp_path / "first", tmp_path / "second"]
    monkeypatch.setenv("ADAIN_WEIGHTS", os.pathsep.join(map(str, chosen)))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folders = [*chosen, tmp_path / "cache" / "adain"]
    for folder in folders:
        folder.mkdir(parents=True)
    return folders


def error_of(call) -> str:
    with pytest.raises(AdaINError) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    return message


# Where files are looked for


def test_search_order(places):
    built_in = [PACKAGE.parent / "weights", PACKAGE / "model_files"]
    assert weights.search_folders() == [*places[:2], *built_in, places[2]]


@pytest.mark.parametrize("value", [None, "", os.pathsep])
def test_no_folder_chosen(places, monkeypatch, value):
    if value is None:
        monkeypatch.delenv("ADAIN_WEIGHTS")
    else:
        monkeypatch.setenv("ADAIN_WEIGHTS", value)
    assert weights.search_folders()[0] == PACKAGE.parent / "weights"


def test_cache_is_in_the_home_folder_by_default(monkeypatch, tmp_path):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert weights.cache_folder() == tmp_path / ".cache" / "adain"


def test_first_folder_that_holds_a_file_wins(places):
    files = [folder / "some.onnx" for folder in places]
    for file in files:
        file.write_bytes(b"")
    for file in files:
        assert weights.look_for("some.onnx") == weights.find("some.onnx", get="") == file
        file.unlink()
        file.mkdir()  # a folder of that name is no such file
    assert weights.look_for("some.onnx") is None


def test_folders_come_before_names(places):
    (places[1] / "preferred").write_bytes(b"")
    (places[0] / "other").write_bytes(b"")
    assert weights.look_for("preferred", "other") == places[0] / "other"
    (places[0] / "preferred").write_bytes(b"")
    assert weights.look_for("preferred", "other") == places[0] / "preferred"


def test_missing_file_names_every_place_and_what_to_do(places):
    message = error_of(lambda: weights.find("a.onnx", "b.onnx", get="`do this`"))
    assert message.startswith("a.onnx or b.onnx not found; searched ")
    assert message.endswith("; `do this`")
    assert all(str(folder) in message for folder in weights.search_folders())


def test_chosen_folder_hides_the_shipped_files(places):
    chosen = places[0] / "adain-fast-decoder.onnx"
    assert "fast" in weights.available_models()
    shipped = weights.find_model("fast")
    chosen.write_bytes(b"")
    assert weights.find_model("fast") == shipped | {"decoder": chosen}


def test_model_is_available_when_all_its_files_are(places, monkeypatch):
    monkeypatch.setattr(weights, "search_folders", lambda: places)
    assert weights.available_models() == []
    for number, part in enumerate(weights.model_parts("vgg19")):
        assert weights.available_models() == []
        (places[number] / weights.onnx_file("vgg19", part)).write_bytes(b"")
    assert weights.available_models() == ["vgg19"]


def test_sha256(tmp_path):
    (tmp_path / "file").write_bytes(PAYLOAD)
    assert weights.sha256(tmp_path / "file") == hashlib.sha256(PAYLOAD).hexdigest()


# Precisions


def test_names_of_onnx_files():
    names = [weights.onnx_file("fast", part) for part in ("whole", "encoder", "style")]
    assert names == ["adain-fast.onnx", "adain-fast-encoder.onnx", "adain-fast-style.onnx"]
    assert weights.onnx_file("fast", "whole", "fp16") == "adain-fast-fp16.onnx"
    assert weights.onnx_file("vgg19", "decoder", "int8") == "adain-vgg19-decoder-int8.onnx"


@pytest.mark.parametrize("model", registry.BUILT_IN)
def test_files_of_a_model(model):
    names = weights.model_files(model)
    assert len(set(names)) == len(names)
    assert {weights.onnx_file(model, "whole", p) for p in ("fp32", "fp16")} <= set(names)
    assert (f"adain-{model}-style.onnx" in names) is (model == "fast")
    eighths = [name for name in names if name.endswith("-int8.onnx")]
    assert eighths == (weights.onnx_files(weights.about(model), "int8") if model == "vgg19" else [])


def test_precisions_are_found_apart(places, monkeypatch):
    monkeypatch.setattr(weights, "search_folders", lambda: places)
    for part in weights.model_parts("vgg19"):
        (places[2] / weights.onnx_file("vgg19", part, "fp16")).write_bytes(b"")
    assert (weights.available_models(), weights.available_models("fp16")) == ([], ["vgg19"])
    found = weights.find_model("vgg19", "fp16")
    assert found["decoder"] == places[2] / "adain-vgg19-decoder-fp16.onnx"
    message = error_of(lambda: weights.find_model("fast", "fp16"))
    assert message.startswith("adain-fast-encoder-fp16.onnx not found; searched ")


@pytest.mark.parametrize("model", ["fast", "paper"])
def test_precision_that_a_model_has_no_files_of(model):
    message = error_of(lambda: weights.find_model(model, "int8"))
    assert message == f"precision: found 'int8'; allowed: fp32 or fp16 ({model})"


# Downloads


@pytest.mark.parametrize("page", ["whole", "unsized"])
def test_download(server, tmp_path, page):
    path, said = tmp_path / "cache" / "file", []
    weights.download(f"{server}/{page}", path, said.append)
    assert path.read_bytes() == PAYLOAD
    assert os.listdir(path.parent) == ["file"]
    assert len(said) == 1 and said[0].startswith(f"{server}/{page}: fetching")


@pytest.mark.parametrize(
    ("page", "words"),
    [("cut", "100000 of 300000 bytes"), ("chunked-cut", "IncompleteRead"), ("missing", "404")],
)
@pytest.mark.parametrize("old", [None, b"an old file"])
def test_failed_download_leaves_everything_as_it_was(server, tmp_path, page, words, old):
    path = tmp_path / "file"
    if old is not None:
        path.write_bytes(old)
    url = f"{server}/{page}"
    message = error_of(lambda: weights.download(url, path, print))
    assert message.startswith(f"{url}: could not be fetched (")
    assert words in message and str(path) in message
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == (
        {} if old is None else {"file": old}
    )


def test_refused_connection(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound but not listening: nobody else can answer either
        url = f"http://127.0.0.1:{free.getsockname()[1]}/file"
        message = error_of(lambda: weights.download(url, tmp_path / "file", print))
    assert message.startswith(f"{url}: could not be fetched (") and "refused" in message
    assert not list(tmp_path.iterdir())


def test_cache_that_cannot_be_made(server, tmp_path):
    (tmp_path / "cache").write_bytes(b"in the way")
    path = tmp_path / "cache" / "adain" / "file"
    message = error_of(lambda: weights.download(f"{server}/whole", path, print))
    assert message.startswith(f"{server}/whole: ") and str(path) in message
