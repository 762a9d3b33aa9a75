"""What a move of the demo's slider costs, and opening its page: `python -m benchmarks.demo`.

A headless Chromium opens the real page of a demo of its own, with a photo of ``--size`` pixels, and
moves the strength. Measured is from the slider's event to the new picture being painted; ours, of
that, is what the service says of it: decoding, network and encoding. The page is opened by new
visitors, who have nothing cached, until its first result is there. Live, a camera that Chromium
brings is painted over for ``--live`` seconds.
"""

import io
import statistics
import sys
import time
from typing import Any

import click
import numpy as np
from PIL import Image

from adain.cli.run import run
from adain.registry import DEFAULT_MODEL
from adain.tables import markdown_table
from tools.browser import CAMERA, browsing, serving

MOVE = """strength => new Promise((resolve) => {
    const picture = document.querySelector('#result img.after');
    const slider = document.querySelector('#strength');
    const start = performance.now();
    picture.addEventListener('load', () => requestAnimationFrame(() => requestAnimationFrame(
        () => resolve(performance.now() - start))), {once: true});
    slider.value = String(strength);
    slider.dispatchEvent(new Event('input', {bubbles: true}));
})"""
VISITORS = 7
PAUSE = (
    300  # milliseconds between moves: what the page does after the picture is not the next one's
)


def photo(size: int) -> bytes:
    """A JPEG with soft and fine detail."""
    coarse = np.random.default_rng(0).integers(0, 256, (size // 16, size // 16, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC).save(file, "JPEG")
    return file.getvalue()


def measure(page: Any, size: int, model: str, moves: int) -> tuple[float, float]:
    """Medians in milliseconds: from event to picture, and ours of that."""
    file = {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": photo(size)}
    page.check(f"#models [value={model}]")
    with page.expect_file_chooser() as dialog:
        page.click("#photo-choose")
    dialog.value.set_files([file])
    page.wait_for_function(
        "text => document.querySelector('#details').innerText.includes(text)",
        arg=f"{size} \N{MULTIPLICATION SIGN} {size}",
    )
    page.wait_for_timeout(1000)
    seen, ours = [], []

    def answered(response: Any) -> None:
        if response.url.endswith("/v1/stylize"):
            ours.append(float(response.headers["x-adain-milliseconds"]))

    page.on("response", answered)
    for number in range(moves + 2):
        seen.append(page.evaluate(MOVE, round(10 + 80 * ((number * 0.382) % 1))))
        page.wait_for_timeout(PAUSE)
    return statistics.median(seen[2:]), statistics.median(ours[2:])


def opening(browser: Any, address: str) -> float:
    """Seconds from the address to the first result, for somebody who has nothing cached."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    started = time.perf_counter()
    page.goto(address)
    page.wait_for_selector("#result:not(.empty)", timeout=60_000)
    took = time.perf_counter() - started
    context.close()
    return took


def live(browser: Any, address: str, seconds: float) -> str:
    """What the page says of its live pictures after so many seconds."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(address)
    page.get_by_role("tab", name="Live", exact=True).click()
    page.click("#live-start")
    page.wait_for_function("document.querySelector('.live canvas').dataset.frames > 3")
    page.wait_for_timeout(1000 * seconds)
    said: str = page.inner_text("#live-rate")
    page.close()
    return said


@click.command()
@click.option(
    "--size",
    "sizes",
    type=click.IntRange(16, 768),
    multiple=True,
    default=(512,),
    show_default=True,
)
@click.option("--model", "models", multiple=True, default=(DEFAULT_MODEL,), show_default=True)
@click.option("--moves", type=click.IntRange(3), default=30, show_default=True)
@click.option("--live", "seconds", type=click.FloatRange(0), default=10.0, show_default=True)
def main(sizes: tuple[int, ...], models: tuple[str, ...], moves: int, seconds: float) -> None:
    """Time moves of the demo's slider, and visits of its page, in a real browser."""
    rows = []
    with serving() as address, browsing(*CAMERA) as browser:
        opened = [opening(browser, address) for _ in range(VISITORS)]
        for model in models:
            for size in sizes:
                page = browser.new_page(viewport={"width": 1280, "height": 900})
                page.goto(address)
                page.wait_for_selector("#result:not(.empty)", timeout=60_000)
                seen, ours = measure(page, size, model, moves)
                rows.append([model, str(size), f"{seen:.0f}", f"{ours:.0f}"])
                page.close()
        said = live(browser, address, seconds)
    click.echo(markdown_table(["model", "size", "in the browser ms", "ours ms"], rows))
    click.echo(
        f"\nFrom the address to the first result: {statistics.median(opened):.1f} s, median of"
        f" {VISITORS} visitors ({min(opened):.1f} to {max(opened):.1f} s)."
    )
    click.echo(f"\nLive, a camera of 640 x 480 brought down to 480 x 360: {said}.")


if __name__ == "__main__":
    sys.exit(run(main))
