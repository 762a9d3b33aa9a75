"""Contact sheets: pictures in rows with labels, for people to scan; and charts as files."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GAP = 6
HEADER = 40
COLUMNS = 5  # of a content's sheet
INK, PAPER, SHADE = "#222222", "white", (0, 0, 0, 150)


def style_sheet(
    title: str,
    style: Image.Image,
    columns: Sequence[str],
    rows: Sequence[tuple[str, Sequence[Image.Image]]],
) -> Image.Image:
    """A row for each content, with its name: the content, then its pictures at each strength.

    ``columns`` names the columns. The style stands in the upper left corner, beside the title.
    """
    cell = max(picture.width for _, row in rows for picture in row)
    corner = _fitted(style, cell, cell)
    canvas = Image.new(
        "RGB",
        (
            len(columns) * (cell + GAP) - GAP,
            corner.height + HEADER + sum(row[0].height + GAP for _, row in rows) - GAP,
        ),
        PAPER,
    )
    canvas.paste(corner, (0, 0))
    draw = ImageDraw.Draw(canvas)
    draw.text((cell + 4 * GAP, corner.height / 2), title, INK, _font(34), "lm")
    top = corner.height + HEADER
    for x, column in enumerate(columns):
        draw.text((x * (cell + GAP) + GAP, top - GAP), column, INK, _font(20), "ld")
    for name, row in rows:
        for x, picture in enumerate(row):
            canvas.paste(picture, (x * (cell + GAP), top))
        _label(canvas, (0, top), name)
        top += row[0].height + GAP
    return canvas


def content_sheet(
    title: str,
    content: Image.Image,
    pictures: Mapping[str, Image.Image],
    styles: Mapping[str, Image.Image],
) -> Image.Image:
    """A content and its pictures by the names of their styles, each with its style in a corner."""
    width, height = content.size
    lines = -(-(len(pictures) + 1) // COLUMNS)
    columns = min(COLUMNS, len(pictures) + 1)
    size = (columns * (width + GAP) - GAP, HEADER + lines * (height + GAP) - GAP)
    canvas = Image.new("RGB", size, PAPER)
    ImageDraw.Draw(canvas).text((GAP, HEADER / 2), title, INK, _font(24), "lm")
    canvas.paste(content, (0, HEADER))
    _label(canvas, (0, HEADER), "content")
    for place, (name, picture) in enumerate(pictures.items(), 1):
        line, column = divmod(place, COLUMNS)
        x, y = column * (width + GAP), HEADER + line * (height + GAP)
        canvas.paste(picture, (x, y))
        inset = _fitted(styles[name], width // 4, height // 4)
        corner = (x + width - inset.width, y + height - inset.height)
        canvas.paste(PAPER, (corner[0] - 2, corner[1] - 2, x + width, y + height))
        canvas.paste(inset, corner)
        _label(canvas, (x, y), name)
    return canvas


def _fitted(picture: Image.Image, width: int, height: int) -> Image.Image:
    scale = min(width / picture.width, height / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _label(canvas: Image.Image, corner: tuple[int, int], text: str) -> None:
    """Write white on a dark shade over the upper left corner of a cell."""
    x, y = corner
    draw = ImageDraw.Draw(canvas, "RGBA")
    right, bottom = draw.textbbox((x + 5, y + 3), text, _font(15))[2:]
    draw.rectangle((x, y, right + 5, bottom + 4), SHADE)
    draw.text((x + 5, y + 3), text, "white", _font(15))


def chart_png(figure: "Figure") -> bytes:
    """A chart as a PNG of 64 colours, which is all that lines on white need, at half the size."""
    drawn, file = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png")
    with Image.open(drawn) as image:
        image.convert("RGB").quantize(64).save(file, "PNG", optimize=True)
    return file.getvalue()
