"""``stylize_video``: frames are read, stylized, steadied and written, in a bounded pipeline."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from adain.errors import failing, found_error
from adain.images import Picture
from adain.options import StylizeOptions
from adain.video.clock import Clock
from adain.video.extras import require_video
from adain.video.formats import CONTAINERS, check_output_format
from adain.video.frames import Copied, Frame, Pixels, Sink, Source
from adain.video.options import VideoOptions
from adain.video.pipeline import ahead
from adain.video.rates import at_rate, spaced
from adain.video.resuming.progress import PIECE, Progress, forget
from adain.video.sequences import check_apart

if TYPE_CHECKING:
    from adain.stylizer import Styles, Stylizer
    from adain.video.painter import Painter, Seen, Stylized
    from adain.video.resuming.pieces import Kept

# Frames between two stages of work: enough that one which takes longer, as with `stylize_every`,
# keeps none waiting, and of large ones, at some 40 bytes a pixel, no more than these pixels.
_MOST_AHEAD, _PIXELS_AHEAD = 4, 2_000_000

# The frames so far, of how many as far as is known; True ends the video there.
Callback = Callable[[int, int | None], bool | None]


@dataclass(kw_only=True)
class VideoResult:
    """What came of a video: its size, frames and shots, where the seconds went, what to know."""

    width: int
    height: int
    device: str
    frames: int = 0
    shots: int = 0
    interrupted: bool = False
    # How many of the frames an earlier run had made.
    kept: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def stylize_video(
    source: str | os.PathLike[str],
    styles: Styles,
    output: str | os.PathLike[str],
    options: StylizeOptions | None = None,
    video: VideoOptions | None = None,
    *,
    stylizer: Stylizer | None = None,
    callback: Callback | None = None,
    resume: bool = False,
) -> VideoResult:
    """Write a video in a style, or in a mixture of several, with its sound and its time stamps.

    ``source`` is a file that FFmpeg reads, a GIF, APNG or WebP, a folder of frames or a pattern
    such as ``"frames/%04d.png"``; ``output`` is of a suffix in `adain.video.formats`, a folder or a
    pattern. ``options`` say how each picture is stylized, ``video`` the rest, and ``stylizer`` the
    model and the device; it may serve others meanwhile. A few frames are held at a time. Sound,
    subtitles, chapters and metadata are copied as they are.

    The output gets its name when it is whole. Where ``callback`` ends the video, that is the part
    so far; where anything is raised, nothing. With ``resume``, what is finished is kept beside the
    output until that is whole, and what an earlier run of the same source, styles, options and
    model kept is not made again.

    Raises AdaINError for inputs that are no video or broken, and outputs that cannot be.
    """
    require_video()
    options, video = options or StylizeOptions(), video or VideoOptions()
    path, target = Path(source), Path(output)
    check_output_format(target)
    _check_apart(path, target)
    from adain.footprint import check_memory
    from adain.stylizer import Stylizer
    from adain.video.opening import reader_of, writer_of
    from adain.video.painter import Painter

    reader = reader_of(path, options.max_side, video)
    try:
        about = reader.about
        kind = CONTAINERS.get(target.suffix.lower())
        if kind is not None and kind.constant_rate and video.fps is None:
            about.notes.append(f"{kind.muxer} gives every frame the same duration")
            video = replace(video, fps=float(about.rate or 25))
        if stylizer is None:
            stylizer = Stylizer(cached_contents=0)
        recipe: dict[str, str] | None = None
        if resume:
            from adain.video.resuming.provenance import recipe_of

            styles, options, video, recipe = recipe_of(path, styles, options, video, stylizer)
        if stylizer.device == "cpu":
            check_memory(os.fspath(path), stylizer.row, about.width, about.height)
        clock = Clock()
        painter = Painter(stylizer, styles, options, video, clock)
        writer, progress = writer_of(target, about, video, recipe)
        try:
            width, height = writer.size
            result = VideoResult(
                width=width, height=height, device=stylizer.device, seconds=clock.seconds
            )
            least = Fraction(0) if kind is None else kind.least
            work = _Work(reader, writer, painter, video, result, clock, least)
            work.run(callback, progress)
            if not result.frames:
                raise found_error(os.fspath(path), "no frame in the time asked for", "one or more")
            if not (progress is not None and result.frames < progress.frames):
                with clock.of("encoding"):
                    writer.finish()
        finally:
            writer.discard()
            if progress is not None:
                progress.close()
        if not result.interrupted:
            forget(target)
        result.shots = painter.shots
        result.notes = [*about.notes, *writer.notes]
        return result
    finally:
        reader.close()


class _Work:
    """The frames' way from the reader to the writer."""

    def __init__(
        self,
        reader: Source,
        writer: Sink,
        painter: Painter,
        video: VideoOptions,
        result: VideoResult,
        clock: Clock,
        least: Fraction,
    ) -> None:
        self._reader, self._writer, self._painter = reader, writer, painter
        self._video, self._result, self._clock = video, result, clock
        self._start, self._end, self._least = video.begins, video.ends, least
        # The last frame as it was read, and as it is written.
        self._source: Pixels | None = None
        self._last: Frame | None = None

    def run(self, callback: Callback | None, progress: Progress | None) -> None:
        items, total = self._items(), self._total()
        kept = self._result.kept = 0 if progress is None else progress.frames
        if progress is not None and kept and self._again(items, progress, callback, total):
            return
        about = self._reader.about
        room = max(1, min(_MOST_AHEAD, _PIXELS_AHEAD // (about.width * about.height)))
        # Decoding and flow, the networks, and what is below each have a thread.
        seen = ahead(self._seen(items), room)
        with closing(ahead(self._stylized(seen), room)) as made:
            for item, stylized in made:
                if isinstance(item, Copied):
                    self._writer.copy(item)
                    continue
                done = self._done(item, stylized)
                with self._clock.of("encoding"):
                    self._writer.write(done.at(item.time - self._start, item.duration))
                    self._result.frames += 1
                    if progress is not None and self._result.frames % PIECE == 0:
                        cast("Kept", self._writer).finish_piece(self._state(done))
                if self._ended(callback, total):
                    return

    def _ended(self, callback: Callback | None, total: int | None) -> bool:
        if callback is not None and callback(self._result.frames, total):
            self._result.interrupted = True
        return self._result.interrupted

    def _again(
        self,
        items: Iterator[Frame | Copied],
        progress: Progress,
        callback: Callback | None,
        total: int | None,
    ) -> bool:
        """Write what was kept of the first frames once more; whether the video is to end there."""
        for item in items:
            if isinstance(item, Copied):
                self._writer.copy(item)
                continue
            with self._clock.of("encoding"):
                shown = item.at(item.time - self._start, item.duration)
                cast("Kept", self._writer).write_again(shown)
            self._result.frames += 1
            if self._ended(callback, total):
                return True
            if self._result.frames == progress.frames:
                state = progress.state()
                self._painter.restore(state)
                self._source = item.rgb
                self._last = replace(item, rgb=state["shown"])
                return False
        return False

    def _state(self, done: Frame) -> dict[str, Any]:
        """What the next frame depends on, and what it is where it repeats the last."""
        return {"shown": done.rgb, **self._painter.state()}

    def _total(self) -> int | None:
        about = self._reader.about
        rate = self._video.rate or about.rate
        if rate is None or about.duration is None:
            return None
        end = about.duration if self._end is None else min(self._end, about.duration)
        return max(1, round((end - self._start) * rate))

    def _items(self) -> Iterator[Frame | Copied]:
        items = self._timed(self._reader.items(self._start, self._end))
        about = self._reader.about
        if self._video.rate is not None:
            items = at_rate(items, self._video.rate, self._start, about.time_base)
        return spaced(items, self._least, about.notes) if self._least else items

    def _timed(self, items: Iterator[Frame | Copied]) -> Iterator[Frame | Copied]:
        while True:
            with self._clock.of("decoding"):
                item = next(items, None)
            if item is None:
                return
            if isinstance(item, Frame):
                begins, ends = item.time, item.time + item.duration
                begins = max(begins, self._start)
                ends = ends if self._end is None else min(ends, self._end)
                item = item.at(begins, ends - begins)
            yield item

    def _seen(
        self, items: Iterator[Frame | Copied]
    ) -> Iterator[tuple[Frame | Copied, Seen | None]]:
        """The items with the motion of frames; None of packets, and of frames that are repeated."""
        for item in items:
            if isinstance(item, Copied) or item.rgb is self._source:
                yield item, None
                continue
            self._source = item.rgb
            yield item, self._painter.seen(item)

    def _stylized(
        self, items: Generator[tuple[Frame | Copied, Seen | None], None, None]
    ) -> Iterator[tuple[Frame | Copied, Stylized | None]]:
        with closing(items):
            for item, seen in items:
                yield item, None if seen is None else self._painter.stylized(seen)

    def _done(self, frame: Frame, stylized: Stylized | None) -> Frame:
        """The frame's picture in the style; one that is repeated is that of before."""
        if stylized is not None:
            rgb = Picture(self._painter.blended(stylized)).to_array()
            self._last = Frame(rgb, frame.time, frame.duration, frame.alpha)
        assert self._last is not None
        return self._last


def _check_apart(path: Path, target: Path) -> None:
    """Raise AdaINError where the output is the input."""
    with failing(os.fspath(target), "a file that cannot be reached", "another file"):
        if target.exists() and path.exists() and target.samefile(path):
            raise found_error(os.fspath(target), "one of the inputs", "another file")
    check_apart(path, target)
