"""The README's picture: contents down the side, styles along the top, and the strength.

``python -m tools.figure -o docs/figure.webp --content PHOTO`` draws the styles itself; PHOTO is any
picture of yours, and a drawn one where there is none.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from PIL import Image, ImageOps

from adain import Stylizer, save_image
from adain.cli.parameters import MODEL, check_output
from adain.cli.run import run
from adain.drawings import catalog
from adain.images import load_image
from adain.registry import TRAINED

CELL = 120
GAP = 6
STYLES = ("night", "stained-glass", "great-wave", "impasto", "linocut")
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)


def sheet(rows: Sequence[Sequence[Image.Image | None]]) -> Image.Image:
    """Pictures in rows of equal cells on white; None leaves a cell empty."""
    width, height = max(map(len, rows)), len(rows)
    canvas = Image.new("RGB", (width * (CELL + GAP) - GAP, height * (CELL + GAP) - GAP), "white")
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            if picture is not None:
                cell = ImageOps.fit(picture.convert("RGB"), (CELL, CELL), Image.Resampling.LANCZOS)
                canvas.paste(cell, (x * (CELL + GAP), y * (CELL + GAP)))
    return canvas


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
@click.option("--content", "photos", type=click.Path(path_type=Path), multiple=True)
@click.option(
    "--model",
    "models",
    type=MODEL,
    multiple=True,
    default=TRAINED,
    help="May be given more than once. [default: fast and vgg19]",
)
def figure(output: Path, photos: Sequence[Path], models: Sequence[str]) -> None:
    """Write one picture that shows the models, a row for each content and model."""
    check_output(output, photos)
    style_files = [catalog.file_of(name) for name in STYLES]
    stylizers = [Stylizer(model) for model in models]
    contents = [
        load_image(path, max_side=512).to_pil()
        for path in photos or [catalog.file_of(next(iter(catalog.CONTENTS)))]
    ]
    rows: list[list[Image.Image | None]] = [[None, *map(Image.open, style_files)]]
    for content in contents:
        for stylizer in stylizers:
            rows.append([content, *(stylizer.stylize(content, path) for path in style_files)])
    # The last row drags the slider: the first content under the first style.
    first, style = contents[0], style_files[0]
    rows.append([None, *(stylizers[0].stylize(first, style, alpha) for alpha in STRENGTHS)])
    save_image(sheet(rows), output, quality=70)


if __name__ == "__main__":
    sys.exit(run(figure))
