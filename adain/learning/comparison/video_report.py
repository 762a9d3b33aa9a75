"""The report of `adain compare --video`: a table, a sheet of frames and of flicker, and a page."""

import base64
import csv
import html
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from adain import __version__
from adain.files import make_folder, write_atomically
from adain.learning.comparison.video_options import VideoMethod
from adain.learning.evaluation.sheets import GAP, INK, PAPER
from adain.tables import markdown_table
from adain.video.clips import Clip, FilmClip
from adain.video.measures import SHORT, FloatArray, warped

TABLE, SHEET, PAGE = "video-metrics.csv", "video-frames.png", "video-report.html"
WRITTEN = (TABLE, SHEET, PAGE)
# Figures in the order of the columns: how they are written, and what they are.
FIGURES = {
    "short": (".2f", "warping error of Lai et al. 2018 between neighbouring frames, RMS in 1/255"),
    "long": (".2f", "the same between frames eight apart"),
    "detail": (".1f", "energy of fine detail, in percent of the model's per frame"),
    "uncovered": (".2f", "what comes into sight, from the picture alone, RMS in 1/255"),
    "style loss": (".3f", "statistics of relu1_1 to relu4_1 from the style's"),
    "content loss": (".3f", "mean squared difference of relu4_1 from the content's"),
}
QUALITY = 80  # of the moving pictures in the page
MILLISECONDS = 40
# Differences along the flow are shown so many times as strong.
STRENGTHENED = 6


@dataclass(frozen=True)
class ClipResult:
    """What a method made of a clip: frames float32 [N, H, W, 3] in [0, 1], and figures by name.

    ``short`` and ``long`` are warping errors, ``detail`` is in percent of the same model's per
    frame, ``uncovered`` how far what comes into sight is from the picture alone. A figure that
    there is none of is NaN. ``method`` None is the content itself.
    """

    content: str
    style: str
    source: Clip | FilmClip = field(repr=False)
    method: VideoMethod | None
    frames: FloatArray = field(repr=False)
    figures: dict[str, float]

    @property
    def clip(self) -> str:
        return self.source.name

    @property
    def name(self) -> str:
        return "content itself" if self.method is None else self.method.name


def write_report(results: Sequence[ClipResult], folder: Path) -> Path:
    """Write video-metrics.csv, video-frames.png and video-report.html; the page's path."""
    make_folder(folder)
    write_atomically(folder / TABLE, metrics_csv(results).encode())
    sheet = io.BytesIO()
    frames_sheet(results).save(sheet, "PNG", optimize=True)
    write_atomically(folder / SHEET, sheet.getvalue())
    write_atomically(folder / PAGE, report_page(results).encode())
    return folder / PAGE


def metrics_csv(results: Sequence[ClipResult]) -> str:
    """A row for each method on each clip; a figure that there is none of is empty."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["content", "style", "clip", "method", *FIGURES])
    for each in results:
        row = [_cell(each.figures.get(name), ".6g") for name in FIGURES]
        writer.writerow([each.content, each.style, each.clip, each.name, *row])
    return text.getvalue()


def means(results: Sequence[ClipResult]) -> list[tuple[str, ...]]:
    """A row for each method: means over the clips that have a figure."""
    rows = []
    for name in dict.fromkeys(each.name for each in results):
        found = [each.figures for each in results if each.name == name]
        cells = []
        for figure, (form, _) in FIGURES.items():
            values = [f[figure] for f in found if not math.isnan(f.get(figure, math.nan))]
            cells.append(_cell(float(np.mean(values)) if values else None, form))
        rows.append((name, *cells))
    return rows


def summary(results: Sequence[ClipResult]) -> str:
    """The means as a Markdown table."""
    return markdown_table(("method", *FIGURES), means(results))


def _cell(value: float | None, form: str) -> str:
    return "" if value is None or math.isnan(value) else format(value, form)


def _groups(results: Sequence[ClipResult]) -> dict[tuple[str, str, str], list[ClipResult]]:
    groups: dict[tuple[str, str, str], list[ClipResult]] = {}
    for each in results:
        groups.setdefault((each.content, each.style, each.clip), []).append(each)
    return groups


def frames_sheet(results: Sequence[ClipResult]) -> Image.Image:
    """Of each clip a row with a frame of each method, and one with how it differs from the last.

    The frame before is moved along the flow: what is left is flicker, gray where there is none.
    """
    rows: list[list[Image.Image]] = []
    groups = _groups(results)
    for group in groups.values():
        # Before the middle, which begins a shot in some clips, and after the first frame.
        middle = max(SHORT, len(group[0].frames) // 2 - 1)
        rows.append([_image(each.frames[middle]) for each in group])
        rows.append([_image(_flicker(each, middle)) for each in group])
    names = [each.name for each in next(iter(groups.values()))]
    cell = max(image.width for row in rows for image in row)
    heights = [max(image.height for image in row) for row in rows]
    header = 28
    size = len(names) * (cell + GAP) - GAP, header + sum(heights) + GAP * (len(rows) - 1)
    canvas = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(canvas)
    for column, name in enumerate(names):
        place = column * (cell + GAP) + cell / 2, header / 2
        draw.text(place, name, INK, ImageFont.load_default(14), "mm")
    top = header
    for row, height in zip(rows, heights, strict=True):
        for column, image in enumerate(row):
            canvas.paste(image, (column * (cell + GAP), top))
        top += height + GAP
    top = header
    for number, clip in enumerate(groups):
        font = ImageFont.load_default(13)
        text = " ".join(clip)
        draw.text((5, top + 3), text, "white", font, stroke_width=2, stroke_fill="black")
        top += sum(heights[2 * number : 2 * number + 2]) + 2 * GAP
    return canvas


def _flicker(result: ClipResult, number: int) -> FloatArray:
    now, before = result.frames[number], result.frames[number - SHORT]
    flow, seen = result.source.flow(number, number - SHORT)
    different = (now - warped(before, flow)) * seen[..., None].astype(np.float32)
    flicker: FloatArray = np.float32(0.5) + np.float32(STRENGTHENED) * different
    return flicker.clip(0, 1)


def _image(frame: FloatArray) -> Image.Image:
    return Image.fromarray(np.rint(np.clip(frame, 0, 1) * 255).astype(np.uint8))


def report_page(results: Sequence[ClipResult]) -> str:
    """The page, which needs nothing else: the means, and of each clip all methods, moving."""
    notes = "".join(f"<dt>{name}</dt><dd>{about}</dd>" for name, (_, about) in FIGURES.items())
    sections = []
    for (content, style, clip), group in _groups(results).items():
        figures = "".join(
            f'<figure><img src="{_moving(each.frames)}" alt="{html.escape(each.name)}">'
            f"<figcaption>{html.escape(each.name)}</figcaption></figure>"
            for each in group
        )
        title = html.escape(f"{content} in {style}: {clip}")
        sections.append(
            f"<section><h2>{title}</h2><div>{figures}</div>{_table(means(group))}</section>"
        )
    template = Path(__file__).with_name("video_report.html").read_text(encoding="utf-8")
    about = f"{len(sections)} clips. adain {__version__}."
    page = template.replace("{about}", about).replace("{notes}", notes)
    return page.replace("{means}", _table(means(results))).replace("{clips}", "\n".join(sections))


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    head = "".join(f"<th>{name}</th>" for name in ("method", *FIGURES))
    body = "".join(
        f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _moving(frames: FloatArray) -> str:
    """Frames as an animated WebP, as a data URI."""
    file = io.BytesIO()
    first, *others = (_image(frame) for frame in frames)
    first.save(
        file,
        "WEBP",
        save_all=True,
        append_images=others,
        duration=MILLISECONDS,
        loop=0,
        quality=QUALITY,
        method=2,
    )
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"
