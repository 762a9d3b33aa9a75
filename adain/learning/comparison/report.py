"""The report of `adain compare`: a page, a table, a figure and a contact sheet."""

import csv
import io
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from adain.files import write_atomically
from adain.learning.comparison.figure import losses_figure
from adain.learning.comparison.page import report_page
from adain.learning.comparison.results import COLUMNS, Compared
from adain.learning.evaluation.sheets import GAP, INK, PAPER

CELL = 192  # widest picture of the contact sheet
TABLE, FIGURE, SHEET, PAGE = "metrics.csv", "losses.png", "contact-sheet.png", "report.html"
WRITTEN = (TABLE, FIGURE, SHEET, PAGE)


def write_report(compared: Compared, folder: Path) -> Path:
    """Write metrics.csv, losses.png, contact-sheet.png and report.html; the page's path."""
    write_atomically(folder / TABLE, metrics_csv(compared).encode())
    write_atomically(folder / FIGURE, losses_figure(compared))
    sheet = io.BytesIO()
    contact_sheet(compared).save(sheet, "PNG", optimize=True)
    write_atomically(folder / SHEET, sheet.getvalue())
    page = folder / PAGE
    write_atomically(page, report_page(compared).encode())
    return page


def metrics_csv(compared: Compared) -> str:
    """A row for each result: losses as they are, seconds, and peak memory in bytes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["content", "style", "method", "model", "alpha", "start", "iterations", *COLUMNS]
    )
    for result in compared.results:
        method = result.method
        values = (result.figures[column] for column in COLUMNS)
        writer.writerow(
            [
                *(result.content, result.style, result.label),
                *(method.model or "", _text(method.alpha), method.start or ""),
                *(result.iterations or "", *map(_text, values)),
            ]
        )
    return text.getvalue()


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def contact_sheet(compared: Compared) -> Image.Image:
    """A row for each pair: content, style and all results, with their names above."""
    pairs = compared.pairs()
    first = next(iter(pairs.values()))
    cell = min(CELL, compared.size)
    labels = ["content", "style", *(result.label for result in first)]
    font: Any = ImageFont.load_default(max(10, cell / 16))
    header = max(22, cell // 7)
    step = cell + GAP
    canvas = Image.new("RGB", (len(labels) * step - GAP, header + len(pairs) * step - GAP), PAPER)
    draw = ImageDraw.Draw(canvas)
    for column, label in enumerate(labels):
        draw.text((column * step + cell / 2, header / 2), label, INK, font, "mm")
    for row, ((content, style), results) in enumerate(pairs.items()):
        pictures = [compared.images[name].to_pil().convert("RGB") for name in (content, style)]
        for result in results:
            with Image.open(result.picture) as file:
                pictures.append(file.convert("RGB"))
        for column, picture in enumerate(pictures):
            small = picture.resize((cell, cell), Image.Resampling.LANCZOS)
            canvas.paste(small, (column * step, header + row * step))
    return canvas
