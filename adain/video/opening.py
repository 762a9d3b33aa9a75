"""Which reader and which writer a path has."""

from __future__ import annotations

from pathlib import Path

from adain.video.animation import AnimationFile, is_animation
from adain.video.frames import About, Sink, Source, is_folder, is_pattern
from adain.video.options import VideoOptions
from adain.video.reading import VideoFile
from adain.video.resuming.pieces import kept_writer
from adain.video.resuming.progress import Progress
from adain.video.sequences import FrameFolder, FrameWriter
from adain.video.writing import VideoWriter


def reader_of(path: Path, max_side: int | None, video: VideoOptions) -> Source:
    if is_pattern(path) or path.is_dir():
        return FrameFolder(path, max_side, video.rate)
    if is_animation(path):
        return AnimationFile(path, max_side)
    return VideoFile(path, max_side)


def writer_of(
    path: Path, about: About, video: VideoOptions, recipe: dict[str, str] | None
) -> tuple[Sink, Progress | None]:
    if recipe is not None:
        return kept_writer(path, about, video, recipe)
    if is_pattern(path) or is_folder(path):
        return FrameWriter(path, about), None
    return VideoWriter(path, about, video), None
