"""What the page costs in a headless Chromium here: milliseconds for slider moves, pictures, frames.

python bench.py [--size 512] [--moves 20] [--device wasm]      # after npm install, npm run build

Needs Node.js, Chromium and, of Python, playwright, Pillow and NumPy.
"""

import argparse
import io
import shutil
import statistics
import subprocess
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import FilePayload, Page, sync_playwright

HERE = Path(__file__).parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
# A camera that every Chromium brings.
FLAGS += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
COLUMNS = ("encoder", "style", "decoder", "total")
# What the page tells of its next result after it was made to compute one.
NEXT = """act => new Promise(resolve => {
    document.addEventListener('stylized', event => resolve(event.detail), {once: true});
    const slider = document.getElementById('alpha');
    if (act !== null) { slider.value = act; slider.dispatchEvent(new Event('input')); }
})"""


def picture(size: int, seed: int) -> FilePayload:
    """A picture with soft and fine detail, as a file for the page."""
    coarse = np.random.default_rng(seed).integers(0, 256, (size // 16, size // 16, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC).save(file, "PNG")
    return {"name": f"{seed}.png", "mimeType": "image/png", "buffer": file.getvalue()}


def upload(page: Page, place: str, file: FilePayload) -> dict[str, float]:
    page.evaluate(f"void (window.next = ({NEXT})(null))")
    page.set_input_files(f"#{place} input", files=[file])
    found: dict[str, float] = page.evaluate("window.next")
    return found


def measure(page: Page, size: int, moves: int) -> dict[str, list[dict[str, float]]]:
    page.select_option("#side", str(size))
    page.wait_for_selector("#result[aria-busy=false]")
    for place in ("content", "style"):  # the first of each also sets up its network
        upload(page, place, picture(size, 0))
    rows = {
        "slider move": [page.evaluate(NEXT, k / moves) for k in range(moves)],
        "new photo": [upload(page, "content", picture(size, k)) for k in range(1, 6)],
        "new style": [upload(page, "style", picture(512, k)) for k in range(1, 6)],
    }
    page.click("#camera")
    rows["camera frame"] = [page.evaluate(NEXT, None) for _ in range(moves + 1)][1:]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--size", type=int, default=512, choices=(512, 768, 1024, 1536, 2048))
    parser.add_argument("--moves", type=int, default=20)
    parser.add_argument("--device", choices=("wasm", "webgpu"), default="wasm")
    options = parser.parse_args()
    command = ["node", str(HERE / "serve.mjs"), "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    address = server.stdout.readline().strip()
    browser_path = next(filter(None, map(shutil.which, BROWSERS)), None)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
            page = browser.new_page()
            page.goto(f"{address}?device={options.device}")
            page.wait_for_selector("#result[aria-busy=false]")
            rows = measure(page, options.size, options.moves)
            print(f"{page.inner_text('#status').split(' · ', 1)[1]}; medians, ms\n")
            browser.close()
    finally:
        server.terminate()
        server.wait()
    print(f"| {'':12} |" + "".join(f" {name:>8} |" for name in COLUMNS))
    print(f"|{'-' * 14}|" + f"{'-' * 9}:|" * len(COLUMNS))
    for name, results in rows.items():
        medians = (statistics.median(one.get(part, 0) for one in results) for part in COLUMNS)
        print(f"| {name:12} |" + "".join(f" {median:8.1f} |" for median in medians))


if __name__ == "__main__":
    main()
