"""The npm package in a real browser, built by Vite, and its types."""

import base64
import functools
import http.server
import io
import json
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from example_files import difference, install, model_file
from npm_package import NPM, install_packed, link, run
from PIL import Image

from adain import Style, Stylizer

sync_api = pytest.importorskip("playwright.sync_api")

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
TIMEOUT = 60_000  # milliseconds, where the machine is busy
LEVELS = 1
# A page that hands the package to the test.
PROBE = """
import { AdaINError, Style, Stylizer } from 'adain';
import { Stylizer as Remote } from 'adain/worker';
const blob = async (address) => (await fetch(address)).blob();
const pixels = async (address) => {
  const bitmap = await createImageBitmap(await blob(address));
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height);
};
const element = async (address) => {
  const image = new Image();
  image.src = address;
  await image.decode();
  return image;
};
Object.assign(window, { AdaINError, Style, Stylizer, Remote, blob, pixels, element });
"""
TYPES = """
import { AdaINError, Style, Stylizer, type Pixels } from 'adain';
import { Stylizer as Remote } from 'adain/worker';
declare const photo: Pixels, element: HTMLImageElement, context: CanvasRenderingContext2D;
const stylizer: Stylizer = await Remote.create({ device: 'auto', models: new URL('x:y') });
const style = Style.mix([[await stylizer.encodeStyle(element, { maxSide: 256 }), 1]]);
const picture = await stylizer.stylize(photo, Style.load(style.save()), { strength: 0.5 });
context.putImageData(new ImageData(picture.data, picture.width, picture.height), 0, 0);
const error: Error = new AdaINError('');
// @ts-expect-error
await Stylizer.create({ device: 'gpu' });
// @ts-expect-error
await stylizer.stylize(photo, photo);
"""


class Isolated(http.server.SimpleHTTPRequestHandler):
    """Serves a folder with the headers that give WebAssembly its threads."""

    def end_headers(self) -> None:
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def vite_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, with the packed package installed, and a page for these tests."""
    tools = install("../npm", "devDependencies") / "node_modules"
    folder = tmp_path_factory.mktemp("vite") / "example"
    shutil.copytree(NPM / "example-vite", folder, ignore=shutil.ignore_patterns("node_modules"))
    install_packed(folder)
    link(folder, "web", "onnxruntime-web")
    html = '<link rel="icon" href="data:,"><script type="module" src="/probe.js"></script>'
    (folder / "probe.html").write_text(html)
    (folder / "probe.js").write_text(PROBE)
    config = folder / "vite.config.js"
    pages = "build: { rolldownOptions: { input: ['index.html', 'probe.html'] } },"
    config.write_text(config.read_text().replace("export default {", f"export default {{ {pages}"))
    (folder / "tools").symlink_to(tools)
    return folder


@pytest.fixture(scope="module")
def address(vite_folder: Path) -> Iterator[str]:
    """The built pages' address."""
    run("node", "tools/vite/bin/vite.js", "build", "--logLevel", "warn", folder=vite_folder)
    handler = functools.partial(Isolated, directory=str(vite_folder / "dist"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def launch(chromium: str) -> Iterator[Any]:
    """A function that starts a browser by flags."""
    with sync_api.sync_playwright() as playwright:
        yield functools.partial(playwright.chromium.launch, executable_path=chromium)


@pytest.fixture(scope="module")
def browser(launch: Any) -> Iterator[Any]:
    opened = launch(args=FLAGS)
    yield opened
    opened.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the page complained of, but for the missing GPU, and whom else it asked."""
    return []


@pytest.fixture
def page(browser: Any, address: str, complaints: list[str]) -> Iterator[Any]:
    page = browser.new_page()
    page.set_default_timeout(TIMEOUT)

    def told(message: Any) -> None:
        if message.type in ("error", "warning") and message.text != "No available adapters.":
            complaints.append(message.text)

    page.on("console", told)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    allowed = (address, "blob:", "data:")
    page.on("request", lambda r: r.url.startswith(allowed) or complaints.append(r.url))
    yield page
    assert complaints == []
    page.close()


@pytest.fixture(scope="module")
def half() -> Stylizer:
    return Stylizer(precision="fp16", device="cpu")


def png(picture: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()


def data_url(picture: np.ndarray) -> str:
    return f"data:image/png;base64,{base64.b64encode(png(picture)).decode()}"


@pytest.mark.parametrize("kind", ["Stylizer", "Remote"])
def test_pixels_are_our_runtime_s(
    page: Any,
    address: str,
    half: Stylizer,
    photo: np.ndarray,
    painting: np.ndarray,
    kind: str,
    tmp_path: Path,
) -> None:
    page.goto(f"{address}probe.html")
    content = np.dstack([photo[:93, :127], np.full((93, 127), 255, np.uint8)])
    content[:20, :30] = 0
    found = page.evaluate(
        """async ([kind, content, painting]) => {
            const s = await window[kind].create();
            const style = await s.encodeStyle(await element(painting));
            const results = [];
            for (const [source, strength] of [[pixels, 1], [blob, 0.4], [element, 0]])
                results.push(await s.stylize(await source(content), style, { strength }));
            return {
                device: s.device,
                isolated: crossOriginIsolated,
                style: [...style.save()],
                same: results.every((result) => result instanceof ImageData),
                bytes: results.map(({ data }) => Array.from(data)),
            };
        }""",
        [kind, data_url(content), data_url(painting)],
    )
    assert (found["device"], found["isolated"], found["same"]) == ("wasm", True, True)
    pictures = [np.array(data, np.uint8).reshape(content.shape) for data in found["bytes"]]
    for picture, strength in zip(pictures, (1, 0.4, 0), strict=True):
        assert difference(picture, half.stylize(content, painting, strength)) <= LEVELS
    assert np.array_equal(pictures[2], content)
    (tmp_path / "web.style").write_bytes(bytes(found["style"]))
    style, wanted = Style.load(tmp_path / "web.style"), half.encode_style(painting)
    assert (style.model, style.weights) == (wanted.model, wanted.weights)
    np.testing.assert_allclose(style.vector, wanted.vector, atol=0.01)


def test_pixels_of_webgpu(
    launch: Any, vite_folder: Path, address: str, photo: np.ndarray, painting: np.ndarray
) -> None:
    """On the adapter that Chromium has in software, which knows no half precision, and is slow."""
    if not os.environ.get("ADAIN_TEST_WEBGPU"):
        pytest.skip("takes half a minute: set ADAIN_TEST_WEBGPU=1")
    python = Stylizer(device="cpu")
    python.encode_style(painting).save(vite_folder / "dist" / "python.style")
    if not (models := vite_folder / "dist" / "models").exists():
        models.symlink_to(model_file("adain-fast-decoder.onnx").parent)
    flags = ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"]
    browser = launch(args=flags)
    page = browser.new_page()
    page.goto(f"{address}probe.html")
    if not page.evaluate("async () => Boolean(await navigator.gpu?.requestAdapter())"):
        pytest.skip("this Chromium has no WebGPU in software")
    found = page.evaluate(
        """async (content) => {
            const options = { device: 'webgpu', precision: 'fp32', models: 'models' };
            const s = await Stylizer.create(options);
            const style = Style.load(await (await blob('python.style')).arrayBuffer());
            await s.stylize(await pixels(content), style);
            const { data } = await s.stylize(await pixels(content), style, { strength: 0.5 });
            return [s.device, Array.from(data)];
        }""",
        data_url(photo[:30, :41]),
    )
    browser.close()
    assert found[0] == "webgpu"
    picture = np.array(found[1], np.uint8).reshape(30, 41, 4)
    assert difference(picture[..., :3], python.stylize(photo[:30, :41], painting, 0.5)) <= LEVELS


@pytest.mark.parametrize("kind", ["Stylizer", "Remote"])
def test_the_runtime_s_files_by_url(page: Any, vite_folder: Path, address: str, kind: str) -> None:
    if not (runtime := vite_folder / "dist" / "runtime").exists():
        runtime.symlink_to(vite_folder / "node_modules" / "onnxruntime-web" / "dist")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}probe.html")
    call = """async (kind) => {
        const wasm = new URL('runtime/ort-wasm-simd-threaded.wasm', document.baseURI);
        return (await window[kind].create({ device: 'wasm', wasmPaths: { wasm } })).device;
    }"""
    assert page.evaluate(call, kind) == "wasm"
    assert f"{address}runtime/ort-wasm-simd-threaded.wasm" in asked


def test_errors_are_one_clear_line(page: Any, address: str, complaints: list[str]) -> None:
    page.goto(f"{address}probe.html")
    pictures = "{data, width, height} with RGB or RGBA bytes, an ImageData, Blob, image or video"
    pictures += " element, canvas or ImageBitmap"
    wanted = {
        "Stylizer.create({ device: 'cpu' })": 'device: found "cpu"; allowed: auto, webgpu, wasm',
        "Stylizer.create({ device: 'webgpu' })": "device: found webgpu, and no WebGPU in this"
        " browser; allowed: wasm or auto",
        "Remote.create({ models: 'index.html' })": "models: found nothing to read at"
        f" {address}index.html/adain-fast-encoder-fp16.onnx (HTTP status 404); allowed: the folder"
        " that holds the files of the model",
        "stylizer.encodeStyle('photo.jpg')": f'image: found "photo.jpg"; allowed: {pictures}',
        "stylizer.encodeStyle(new Blob(['no']))": "image: found Blob that this browser cannot read"
        f" (The source image could not be decoded.); allowed: {pictures}",
    }
    found = page.evaluate(
        """async (calls) => {
            window.stylizer = await Stylizer.create({ device: 'wasm' });
            const line = (e) => (e instanceof AdaINError ? e.message : e.stack);
            const lines = [];
            for (const call of calls)
                lines.push(await eval(`async () => ${call}`)().then(() => 'no error', line));
            return lines;
        }""",
        list(wanted),
    )
    assert dict(zip(wanted, found, strict=True)) == wanted
    complaints[:] = [complaint for complaint in complaints if "404" not in complaint]


def test_vite_example(
    page: Any, address: str, half: Stylizer, photo: np.ndarray, painting: np.ndarray
) -> None:
    page.goto(address)
    for place, picture in (("photo", photo), ("style", painting)):
        file = {"name": "a.png", "mimeType": "image/png", "buffer": png(picture)}
        page.set_input_files(f"#{place}", file)
    page.get_by_text(" ms on wasm").wait_for()
    for strength in (0.2, 0.5):
        page.fill("#strength", str(strength))
    wanted = half.stylize(photo, painting, 0.5)
    shown = "() => document.getElementById('result').toDataURL().split(',')[1]"
    for _ in range(100):  # the newest is the last to be shown
        bytes_ = base64.b64decode(page.evaluate(shown))
        found = np.asarray(Image.open(io.BytesIO(bytes_)).convert("RGB"))
        if found.shape == wanted.shape and difference(found, wanted) <= LEVELS:
            return
        page.wait_for_timeout(100)
    pytest.fail("the picture of the newest strength is not shown")


def test_types(vite_folder: Path) -> None:
    (vite_folder / "types.mts").write_text(TYPES)
    options = {"strict": True, "noEmit": True, "module": "nodenext", "target": "es2022"}
    options |= {"types": [], "skipLibCheck": False}
    settings = {"compilerOptions": options, "files": ["types.mts"]}
    (vite_folder / "tsconfig.json").write_text(json.dumps(settings))
    run("node", "tools/typescript/bin/tsc", "-p", ".", folder=vite_folder)
