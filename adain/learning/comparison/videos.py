"""Benchmark of steadiness: videos per frame and along the flow, measured and shown.

`compare_videos` stylizes clips with each method, measures them as `adain.video.measures` says, and
with VGG-19's losses where its weights are here, and writes the report of `video_report`.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from adain.errors import AdaINError, failing, found_error
from adain.images import Picture, load_image
from adain.images.formats import format_of_bytes
from adain.learning.comparison.video_options import CompareVideoOptions, VideoMethod
from adain.learning.comparison.video_report import ClipResult, summary, write_report
from adain.learning.evaluation.scoring import ImageFeatures, Scorer
from adain.learning.labels import label
from adain.learning.losses import mean_squared_error, style_loss
from adain.learning.models.pretrained import load_vgg19_encoder
from adain.learning.tensors import to_tensor
from adain.options import STYLE_SIDE, StylizeOptions
from adain.stylizer import Stylizer
from adain.video import VideoOptions
from adain.video.animation import FORMATS as ANIMATED
from adain.video.clips import KINDS, Clip, FilmClip, render
from adain.video.frames import Frame
from adain.video.measures import LONG, SHORT, FloatArray, clip_errors, detail_kept, uncovered
from adain.video.opening import reader_of
from adain.video.painter import Painter

# Frames of a clip that VGG-19 looks at, evenly spread.
LOOKED_AT = 4
# The time between frames does not count here; styles do not change.
_DURATION = Fraction(1, 25)


def compare_videos(
    contents: Sequence[Path],
    styles: Sequence[Path],
    folder: Path,
    options: CompareVideoOptions | None = None,
    report: Callable[[str], object] = lambda line: None,
) -> Path:
    """Compare all methods on all contents in all styles; the path of ``video-report.html``.

    A content is a film, of which the first frames count, with estimated flow; or a picture, of
    which clips with exact flow are rendered. Raises AdaINError where one is neither.
    """
    options = options or CompareVideoOptions()
    if not contents or not styles:
        raise found_error("contents and styles", "none", "one content and one style, or more")
    methods = options.methods()
    stylizers = {
        model: Stylizer(model, options.device, threads=options.threads, cached_contents=0)
        for model in dict.fromkeys(method.model for method in methods)
    }
    scorer = _scorer(report)
    paintings = {path: load_image(path, max_side=STYLE_SIDE).opaque() for path in styles}
    clips = [(path, clip) for path in contents for clip in clips_of(path, options)]
    results = []
    for path, clip in tqdm(clips, unit="clip", leave=False, disable=None):
        for style, painting in paintings.items():
            names = label(path), label(style)
            results += _results(clip, names, painting, methods, stylizers, scorer)
    page = write_report(results, folder)
    report(summary(results))
    return page


def clips_of(path: Path, options: CompareVideoOptions) -> list[Clip | FilmClip]:
    """The clips of a film or a picture, at most ``options.size`` pixels wide or high."""
    if is_picture(path):
        picture = load_image(path, max_side=2 * options.size).opaque().rgb
        scale = options.size / max(picture.shape[:2])
        # Multiples of 16, as networks and encoders of video take them.
        height, width = (max(64, round(scale * side / 16) * 16) for side in picture.shape[:2])
        other = picture[::-1]
        return [
            render(picture, kind, options.frames, (width, height), other=other) for kind in KINDS
        ]
    frames = []
    with closing(reader_of(path, options.size, VideoOptions())) as reader:
        for item in reader.items(Fraction(0), None):
            if isinstance(item, Frame):
                frames.append(item.rgb)
            if len(frames) == options.frames:
                break
    if len(frames) < SHORT + 1:
        found = f"{len(frames)} {'frame' if len(frames) == 1 else 'frames'}"
        raise found_error(str(path), found, "a picture, or a film of two frames or more")
    return [FilmClip("film", frames)]


def is_picture(path: Path) -> bool:
    """Whether a file is a picture that does not move; AdaINError where it cannot be read."""
    if path.is_dir() or "%" in path.name:
        return False
    allowed = "a film or a picture"
    with failing(str(path), "a file that cannot be read", allowed), open(path, "rb") as file:
        kind = format_of_bytes(file.read(64))
    if kind not in ANIMATED:
        return kind not in (None, "video")
    with failing(str(path), "a broken picture", allowed), Image.open(path) as image:
        return int(getattr(image, "n_frames", 1)) == 1


def _results(
    clip: Clip | FilmClip,
    names: tuple[str, str],
    painting: Picture,
    methods: Sequence[VideoMethod],
    stylizers: dict[str, Stylizer],
    scorer: Scorer | None,
) -> list[ClipResult]:
    styles = {model: each.encode_style(painting) for model, each in stylizers.items()}
    made: dict[VideoMethod | None, FloatArray] = {None: clip.frames}
    for method in methods:
        painter = Painter(
            stylizers[method.model], styles[method.model], StylizeOptions(), method.options()
        )
        made[method] = np.stack(
            [
                painter.paint(Frame(pixels, number * _DURATION, _DURATION))
                for number, pixels in enumerate(clip.pixels())
            ]
        )
    short, long = (clip_errors(clip, made, apart) for apart in (SHORT, LONG))
    losses = None if scorer is None else Losses(scorer, painting, clip.frames)
    results = []
    for made_by, frames in made.items():
        figures = {"short": short[made_by], "long": long[made_by]}
        if made_by is not None:
            alone = made[VideoMethod(made_by.model)]
            figures["detail"] = detail_kept(frames, alone)
            if made_by.steady:
                figures["uncovered"] = uncovered(clip, frames, alone)
        if losses is not None:
            figures |= losses.of(frames)
        results.append(ClipResult(*names, clip, made_by, frames, figures))
    return results


class Losses:
    """Mean style and content loss of a few frames of a clip, with VGG-19.

    The style and the contents are described once for all methods.
    """

    @torch.inference_mode()
    def __init__(self, scorer: Scorer, style: Picture, contents: FloatArray) -> None:
        numbers = np.linspace(0, len(contents) - 1, LOOKED_AT).round().astype(int)
        self._scorer, self._style = scorer, scorer.describe(to_tensor(style))
        self._contents = {n: _described(scorer, contents[n]) for n in np.unique(numbers)}

    @torch.inference_mode()
    def of(self, frames: FloatArray) -> dict[str, float]:
        found: dict[str, list[float]] = {"style loss": [], "content loss": []}
        for number, content in self._contents.items():
            shown = _described(self._scorer, frames[number])
            style = style_loss(shown.statistics, self._style.statistics)
            found["style loss"].append(style.item())
            found["content loss"].append(mean_squared_error(shown.relu4_1, content.relu4_1).item())
        return {name: float(np.mean(losses)) for name, losses in found.items()}


def _described(scorer: Scorer, frame: FloatArray) -> ImageFeatures:
    return scorer.describe(to_tensor(Picture(frame)))


def _scorer(report: Callable[[str], object]) -> Scorer | None:
    try:
        return Scorer(load_vgg19_encoder())
    except AdaINError as error:
        report(f"without style and content losses: {error}")
        return None
