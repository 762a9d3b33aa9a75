"""What a move of the demo's slider costs: `python -m benchmarks.demo` prints a table.

A headless Chromium opens the real page of a demo of its own, with a photo of ``--size`` pixels, and
moves the strength. Measured is from the slider's event to the new picture being painted; ours, of
that, is what the line under the picture says: decoding, network and encoding.
"""

import io
import re
import statistics
import sys
from typing import Any

import click
import numpy as np
from PIL import Image

from adain.cli.run import run
from adain.registry import DEFAULT_MODEL
from adain.tables import markdown_table
from tools.browser import browsing, serving

MOVE = """strength => new Promise((resolve) => {
    const picture = document.querySelector('#result img.after');
    const slider = document.querySelector('#strength input[type=range]');
    const start = performance.now();
    picture.addEventListener('load', () => requestAnimationFrame(() => requestAnimationFrame(
        () => resolve(performance.now() - start))), {once: true});
    slider.value = String(strength);
    slider.dispatchEvent(new Event('input', {bubbles: true}));
})"""
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
    page.locator("#stylize-more button").first.click()
    page.locator(f"#stylize-model label:has-text('{model}')").click()
    page.set_input_files("#content input[type=file]", files=[file])
    page.wait_for_function(
        "text => document.querySelector('#caption').innerText.includes(text)",
        arg=f"{size} x {size}",
    )
    page.wait_for_timeout(1000)
    seen, ours = [], []
    for number in range(moves + 2):
        seen.append(page.evaluate(MOVE, round(0.1 + 0.8 * ((number * 0.382) % 1), 2)))
        page.wait_for_timeout(PAUSE)
        ours.append(float(re.match(r"(\d+) ms", page.inner_text("#caption").strip())[1]))  # type: ignore[index]
    return statistics.median(seen[2:]), statistics.median(ours[2:])


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
def main(sizes: tuple[int, ...], models: tuple[str, ...], moves: int) -> None:
    """Time moves of the demo's slider in a real browser."""
    rows = []
    with serving() as address, browsing() as browser:
        for model in models:
            for size in sizes:
                page = browser.new_page(viewport={"width": 1280, "height": 900})
                page.goto(address)
                page.wait_for_selector("#result img.after[src]", timeout=60_000)
                seen, ours = measure(page, size, model, moves)
                rows.append([model, str(size), f"{seen:.0f}", f"{ours:.0f}"])
                page.close()
    click.echo(markdown_table(["model", "size", "in the browser ms", "ours ms"], rows))


if __name__ == "__main__":
    sys.exit(run(main))
