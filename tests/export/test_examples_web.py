"""The example's page in a real browser, against our runtime on the same files."""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from example_files import EXAMPLES, difference, install, model_file
from PIL import Image

from adain import Stylizer

sync_api = pytest.importorskip("playwright.sync_api")

WEB = EXAMPLES / "web"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
FLAGS += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # this machine only
TIMEOUT = 60_000  # milliseconds, where the machine is busy
# The same weights by another runtime may round a sample the other way.
LEVELS = 1
WATCH = """() => {
    window.results = [];
    document.addEventListener('stylized', event => window.results.push(event.detail));
}"""
MORE = """count => new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('no new result')), 60000);
    const look = () => {
        if (results.length <= count) return setTimeout(look, 10);
        clearTimeout(late);
        resolve();
    };
    look();
})"""
# What a person's drop and paste hand to a page, which no browser driver can do.
HAND_OVER = """([event, place, bytes, name]) => {
    const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(bytes)], name, {type: 'image/png'}));
    const target = document.querySelector(place);
    target.dispatchEvent(event === 'drop'
        ? new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true})
        : new ClipboardEvent('paste', {clipboardData: data, bubbles: true}));
}"""


def serve(*command: str) -> Iterator[str]:
    """The address that a server prints; the server ends with the test."""
    process = subprocess.Popen(command, cwd=WEB, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="module")
def built() -> Path:
    """The page with its runtime and the model files our own runtime uses."""
    folder = install("web")
    weights = model_file("adain-fast-decoder.onnx").parent
    command = ["node", "build.mjs", weights]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def address(built: Path) -> Iterator[str]:
    yield from serve("node", "serve.mjs", "0")


@pytest.fixture(scope="module")
def plain_address(built: Path) -> Iterator[str]:
    """A server that knows nothing of isolation, as many hosts are."""
    program = (
        "import http.server as h; s = h.ThreadingHTTPServer(('127.0.0.1', 0),"
        " h.SimpleHTTPRequestHandler); print(f'http://127.0.0.1:{s.server_port}/', flush=True);"
        " s.serve_forever()"
    )
    yield from serve(sys.executable, "-c", program)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        opened.close()


class Visit:
    """A visit of the page: what it shows, whom it asked, and what it complained about."""

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        self.page = browser.new_page(**options)
        self.page.set_default_timeout(TIMEOUT)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complain(message))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.add_init_script(f"({WATCH})()")
        self.address = address

    def complain(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def open(self) -> Visit:
        self.page.goto(self.address)
        self.settle()
        return self

    def settle(self) -> None:
        """Wait until nothing that was asked for is still to be computed."""
        self.page.wait_for_selector("#result[aria-busy=false]")

    def await_more(self, count: int) -> None:
        """Wait for a result after the first `count`, which no string for the page's eval may do."""
        self.page.evaluate(MORE, count)
        self.settle()

    def give(self, place: str, picture: np.ndarray, name: str = "picture.png") -> None:
        """Choose a picture's file, and wait for the result."""
        count = self.page.evaluate("results.length")
        self.page.set_input_files(f"#{place} input", file(png(picture), name))
        self.await_more(count)

    def move(self, strength: float) -> None:
        self.page.fill("#alpha", str(strength))
        self.settle()

    def pixels(self) -> np.ndarray:
        address = self.page.eval_on_selector("#result", "canvas => canvas.toDataURL()")
        rgba = np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))))
        assert (rgba[..., 3] == 255).all()
        return rgba[..., :3]

    def last(self) -> dict[str, Any]:
        return dict(self.page.evaluate("results.at(-1)"))


def png(picture: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()


def file(content: bytes, name: str) -> dict[str, Any]:
    return {"name": name, "mimeType": "image/png", "buffer": content}


@pytest.fixture(scope="module")
def open_visit(browser: Any, address: str) -> Visit:
    return Visit(browser, address).open()


@pytest.fixture
def visit(open_visit: Visit, photo: np.ndarray, painting: np.ndarray) -> Iterator[Visit]:
    """The open page with the photo and the painting at full strength; it must not complain."""
    open_visit.give("content", photo)
    open_visit.give("style", painting)
    open_visit.move(1)
    yield open_visit
    assert not open_visit.complaints
    strangers = [url for url in open_visit.requests if not url.startswith(open_visit.address)]
    assert not [url for url in strangers if not url.startswith(("blob:", "data:"))]


def test_page_shows_a_sample_at_once(open_visit: Visit) -> None:
    pixels = open_visit.pixels()
    assert max(pixels.shape) > 256
    assert pixels.std() > 10
    assert "WebAssembly" in open_visit.page.inner_text("#status")


# 93 x 127 is padded to the stride, 5 x 3 to the smallest side, and so reflected more than once.
@pytest.mark.parametrize("size", [(96, 128), (93, 127), (5, 3), (1, 40)])
def test_result_is_our_runtime_s(
    visit: Visit,
    stylizer: Stylizer,
    photo: np.ndarray,
    painting: np.ndarray,
    size: tuple[int, int],
) -> None:
    content = photo[: size[0], : size[1]]
    visit.give("content", content)
    wanted = stylizer.stylize(content, painting)
    assert difference(visit.pixels(), wanted) <= LEVELS


def test_slider_costs_the_decoder_alone(
    visit: Visit, stylizer: Stylizer, photo: np.ndarray, painting: np.ndarray
) -> None:
    visit.move(0.4)
    last = visit.last()
    assert last["alpha"] == 0.4
    assert last["decoder"] > 0 and not {"encoder", "style"} & set(last)
    wanted = stylizer.stylize(photo, painting, 0.4)
    assert difference(visit.pixels(), wanted) <= LEVELS
    assert np.abs(wanted.astype(int) - stylizer.stylize(photo, painting).astype(int)).max() > 10
    assert visit.page.inner_text("#percent") == "40 %"


def test_of_many_slider_positions_the_newest_is_computed(
    visit: Visit, stylizer: Stylizer, photo: np.ndarray, painting: np.ndarray
) -> None:
    count = visit.page.evaluate("results.length")
    visit.page.evaluate("""() => {
        const slider = document.getElementById('alpha');
        for (let k = 1; k <= 40; k++) {
            slider.value = k / 50;
            slider.dispatchEvent(new Event('input'));
        }
    }""")
    visit.settle()
    results = visit.page.evaluate(f"results.slice({count}).map(result => result.alpha)")
    assert results[-1] == 0.8
    assert len(results) == 2  # the first at once, then the last
    assert difference(visit.pixels(), stylizer.stylize(photo, painting, 0.8)) <= LEVELS


def test_camera_is_painted_over_and_its_newest_frame_is_next(visit: Visit) -> None:
    page = visit.page
    page.click("#camera")
    page.evaluate(MORE, page.evaluate("results.length") + 3)
    assert "pictures a second" in page.inner_text("#status")
    first, second = page.evaluate("results.slice(-2)")
    # One at a time: the next is not grabbed before the last is shown.
    assert (first["width"], first["height"]) == (480, 360)
    assert all(part in second for part in ("encoder", "decoder")) and "style" not in second
    page.click("#camera")
    assert page.inner_text("#camera") == "Camera"
    visit.settle()
    assert "second" not in page.inner_text("#status")


def test_keyboard_moves_the_slider(visit: Visit) -> None:
    visit.page.get_by_role("slider", name="Strength").focus()
    visit.page.keyboard.press("ArrowLeft")
    visit.settle()
    assert visit.last()["alpha"] == 0.99


@pytest.mark.parametrize("place", ["content", "style"])
def test_broken_file_is_one_clear_sentence(visit: Visit, photo: np.ndarray, place: str) -> None:
    before = visit.pixels()
    visit.page.set_input_files(f"#{place} input", file(png(photo)[:60], "torn.png"))
    alert = visit.page.get_by_role("alert")
    alert.wait_for()
    text = alert.inner_text()
    assert text.startswith("“torn.png” is not a picture that this browser can read")
    assert text.count(". ") == 0 and text.endswith(".")
    assert np.array_equal(visit.pixels(), before)
    visit.give(place, photo)
    assert not alert.is_visible()


@pytest.mark.parametrize(("event", "target"), [("drop", "#style .drop"), ("paste", "body")])
def test_drop_and_paste(
    visit: Visit,
    stylizer: Stylizer,
    photo: np.ndarray,
    painting: np.ndarray,
    event: str,
    target: str,
) -> None:
    count = visit.page.evaluate("results.length")
    other = np.ascontiguousarray(photo[::-1, :, ::-1])
    visit.page.evaluate(HAND_OVER, [event, target, list(png(other)), "other.png"])
    visit.await_more(count)
    content, style = (photo, other) if event == "drop" else (other, painting)
    assert difference(visit.pixels(), stylizer.stylize(content, style)) <= LEVELS


def test_large_photo_is_brought_to_the_chosen_size(visit: Visit, photo: np.ndarray) -> None:
    visit.page.select_option("#side", "512")
    visit.settle()
    visit.give("content", np.tile(photo, (7, 8, 1)), "holiday.photo.png")
    assert visit.pixels().shape == (336, 512, 3)
    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "holiday.photo-stylized.png"
    with Image.open(download.value.path()) as saved:
        assert np.array_equal(np.asarray(saved.convert("RGB")), visit.pixels())


def test_controls_have_names(open_visit: Visit) -> None:
    page = open_visit.page
    assert page.get_by_role("slider", name="Strength").count() == 1
    assert page.get_by_role("combobox", name="Size").count() == 1
    for name in ("Choose a photo", "Choose a style picture"):
        assert page.get_by_label(name).count() == 1
    for group in ("Sample photos", "Sample styles"):
        names = page.get_by_role("group", name=group).get_by_role("button")
        labels = [names.nth(k).get_attribute("aria-label") for k in range(names.count())]
        assert len(labels) == len(set(labels)) == 4 and all(labels)


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_page_fits_its_width(open_visit: Visit, width: int) -> None:
    page = open_visit.page
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_isolated_page_has_threads(open_visit: Visit) -> None:
    page = open_visit.page
    assert page.evaluate("crossOriginIsolated")
    cores = page.evaluate("navigator.hardwareConcurrency")
    assert open_visit.last()["threads"] == min(cores, 8)


def test_page_that_is_not_isolated_runs_on_one_thread(browser: Any, plain_address: str) -> None:
    visit = Visit(browser, plain_address).open()
    assert visit.last()["threads"] == 1
    assert "one thread" in visit.page.inner_text("#status")
    assert not visit.complaints
    visit.page.close()


def test_missing_model_is_one_clear_sentence(browser: Any, address: str) -> None:
    visit = Visit(browser, address)
    visit.page.route("**/models/*-style.onnx", lambda route: route.fulfill(status=404))
    visit.open()
    text = visit.page.get_by_role("alert").inner_text()
    path = "models/adain-fast-style.onnx"
    assert text == f"The model could not be loaded: {path} is missing: run npm run build."
    visit.page.close()


def test_failed_run_is_one_clear_sentence_and_no_end(
    browser: Any, address: str, stylizer: Stylizer, photo: np.ndarray, painting: np.ndarray
) -> None:
    # An encoder in the decoder's place loads, and fails when it is given a decoder's inputs.
    wrong = model_file("adain-fast-encoder.onnx").read_bytes()
    visit = Visit(browser, address)
    answer = {"content_type": "application/octet-stream", "body": wrong}
    visit.page.route("**/models/*-decoder.onnx", lambda route: route.fulfill(**answer), times=1)
    visit.page.goto(address)
    alert = visit.page.get_by_role("alert")
    alert.wait_for()
    assert re.fullmatch(
        r"The model could not run at 720 . 540 \(.+\); a smaller size may fit\.", alert.inner_text()
    )
    visit.give("content", photo)
    visit.give("style", painting)
    assert not alert.is_visible()
    assert difference(visit.pixels(), stylizer.stylize(photo, painting)) <= LEVELS
    visit.page.close()


def test_server_serves_its_folder_alone(address: str) -> None:
    with OPENER.open(address) as response:
        assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert response.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    for path in ("missing.js", "..%2fREADME.md", "%2e%2e/README.md", "%", "ort"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            OPENER.open(address + path)
        assert caught.value.code == 404
        caught.value.close()


def test_metadata_is_what_onnx_says(built: Path) -> None:
    import onnx

    decoder = model_file("adain-fast-decoder.onnx")
    program = (
        "import fs from 'node:fs'; import { metadata } from './metadata.js';"
        "console.log(JSON.stringify(metadata(fs.readFileSync(process.argv[1]))))"
    )
    command = ["node", "--input-type=module", "-e", program, decoder]
    done = subprocess.run(command, cwd=WEB, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    properties = onnx.load(decoder).metadata_props
    assert json.loads(done.stdout) == {one.key: one.value for one in properties}
