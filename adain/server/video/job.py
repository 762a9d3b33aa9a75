"""A video job: what is to be made, how far it is, and whether it is within the server's limits."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from adain.errors import MissingError, found_error
from adain.images import Picture
from adain.options import StylizeOptions
from adain.server.settings import Settings
from adain.server.video.child import SCALED_DOWN, Child
from adain.style import Style
from adain.video import VideoOptions
from adain.video.extras import MODULES

State = Literal["waiting", "running", "done", "failed", "cancelled"]
OVER = ("done", "failed", "cancelled")
# Of the longest video, so many frames for each of its seconds at most.
FRAMES_PER_SECOND = 60


@dataclass(eq=False)
class Job:
    """A video that is to be made, and how far it is. ``owner`` is who may see it, "" for anybody
    who knows its ``id``."""

    id: str
    client: str
    owner: str
    folder: Path
    model: str
    styles: Sequence[Style | Picture]
    options: StylizeOptions
    video: VideoOptions
    format: str
    width: int = 0
    height: int = 0
    state: State = "waiting"
    frames: int = 0
    total: int | None = None
    notes: list[str] = field(default_factory=list)
    error: str | None = None
    began: float = 0.0  # by `time.monotonic`: when frames were first told of
    first: int = 0  # how many they were
    seconds: float = 0.0  # from then to the last so far
    expires: float | None = None  # by `time.monotonic`
    child: Child | None = None

    def let_go(self) -> None:
        """Free what is held in memory to make it of."""
        self.styles, self.video = (), replace(self.video, style_at={})
        self.options = replace(self.options, masks=None, alpha=StylizeOptions.alpha)

    @property
    def result(self) -> Path:
        return self.folder / f"result.{self.format}"

    @property
    def rate(self) -> float | None:
        """Frames a second so far."""
        made = self.frames - self.first
        return made / self.seconds if made and self.seconds > 0 else None

    @property
    def left(self) -> float | None:
        """Seconds to its end, as far as is known."""
        if self.state != "running" or self.rate is None or self.total is None:
            return None
        return max(0, self.total - self.frames) / self.rate

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        found = 0
        with suppress(OSError):
            for entry in os.scandir(self.folder):
                with suppress(OSError):
                    found += entry.stat().st_size
        return found


def check_offered(settings: Settings) -> None:
    """Raise MissingError where videos are not stylized; nothing is imported for it."""
    if not settings.video:
        raise MissingError("videos are not stylized here: the server has --no-video")
    for name in MODULES:
        if find_spec(name) is None:
            line = f"video needs {name}, which is not installed; `pip install 'adain[video]'` does"
            raise MissingError(line)


def most_frames(settings: Settings) -> int:
    """How many a video may have."""
    return int(FRAMES_PER_SECOND * settings.max_video_seconds)


def check_found(job: Job, found: dict[str, Any], settings: Settings) -> None:
    """Take the size of a job's frames from what `Child.look` found; AdaINError beyond a limit."""
    job.width, job.height = int(found["width"]), int(found["height"])
    _check_size(job.width, job.height, int(found["pixels"]), settings.max_video_pixels)
    frames, seconds, video = float(found["frames"]), found["seconds"], job.video
    if seconds:
        begin, longest = float(video.begins), settings.max_video_seconds
        if begin >= seconds:
            raise found_error("start", f"{begin:g} s", f"less than the {seconds:.2f} s there are")
        part = min(float(video.ends or seconds), seconds) - begin
        if part > longest:
            allowed = f"at most {longest:g} s, such as by a start and an end"
            raise found_error("content", f"{part:.1f} s of video", allowed)
        frames = part * video.fps if video.fps else frames * part / seconds
    if frames > most_frames(settings):
        found_frames = f"about {frames:,.0f} frames"
        raise found_error("content", found_frames, f"at most {most_frames(settings):,}")


def _check_size(width: int, height: int, stored: int, most: int) -> None:
    """Of frames as they are computed, and of the pixels that they have in the file."""
    if stored > SCALED_DOWN * most:
        allowed = f"at most {SCALED_DOWN * most:,}, and {most:,} after max_side"
        raise found_error("content", f"frames of {stored:,} pixels", allowed)
    if width * height > most:
        side = int(max(width, height) * math.sqrt(most / (width * height)))
        allowed = f"at most {most:,} pixels, such as by a max_side of {side}"
        raise found_error("content", f"frames of {width:,} x {height:,} pixels", allowed)
