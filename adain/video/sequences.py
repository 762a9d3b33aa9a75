"""Numbered pictures as a video, in and out: a folder, or a pattern such as ``frames/%04d.png``."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

from adain.errors import failing, found_error
from adain.files import check_folder, make_folder
from adain.images import load_image, save_image
from adain.images.formats import format_of_bytes
from adain.video.frames import (
    NUMBER,
    About,
    Copied,
    Frame,
    frame_name,
    is_folder,
    is_pattern,
)

# Where nobody says how fast the pictures follow each other.
RATE = Fraction(25)
_NAME = "%06d.png"


class FrameFolder:
    """Reads numbered pictures in their order, a picture at a time."""

    def __init__(
        self, path: Path, max_side: int | None = None, rate: Fraction | None = None
    ) -> None:
        self.name, self._max_side = os.fspath(path), max_side
        self._rate = rate or RATE
        self._paths = numbered(path)
        first = load_image(self._paths[0], max_side=max_side)
        self._size = first.width, first.height
        self.about = About(
            width=first.width,
            height=first.height,
            has_alpha=first.alpha is not None,
            time_base=1 / self._rate,
            rate=self._rate,
            duration=len(self._paths) / self._rate,
        )

    def items(self, start: Fraction, end: Fraction | None) -> Iterator[Frame]:
        for number, path in enumerate(self._paths):
            time = number / self._rate
            if time < start:
                continue
            if end is not None and time >= end:
                return
            picture = load_image(path, max_side=self._max_side)
            if (picture.width, picture.height) != self._size:
                found = f"{picture.width} x {picture.height} pixels"
                raise found_error(
                    str(path), found, "{} x {}, as the first frame".format(*self._size)
                )
            has_alpha = self.about.has_alpha
            yield Frame.of(picture.to_array(), time, 1 / self._rate, has_alpha=has_alpha)

    def close(self) -> None:
        pass


def numbered(path: Path) -> list[Path]:
    """The pictures of a folder by the numbers in their names, or of a pattern by its number."""
    allowed = "a folder of pictures, or a pattern such as frames/%04d.png that names some"
    with failing(os.fspath(path), "a folder that cannot be read", allowed):
        folder = path.parent if is_pattern(path) else path
        files = [file for file in folder.iterdir() if file.is_file()]
    if is_pattern(path):
        form = _form(path.name)
        found = [
            f
            for f in files
            if (m := form.fullmatch(f.name)) and frame_name(path.name, int(m[1])) == f.name
        ]
    else:
        found = []
        for file in files:
            with (
                failing(str(file), "a file that cannot be read", "a picture"),
                open(file, "rb") as f,
            ):
                if format_of_bytes(f.read(64)):
                    found.append(file)
    if not found:
        raise found_error(os.fspath(path), "no pictures", allowed)
    digits = re.compile(r"(\d+)")
    return sorted(found, key=lambda f: [int(p) if p.isdigit() else p for p in digits.split(f.name)])


def _form(pattern: str) -> re.Pattern[str]:
    """The names that a pattern stands for, whose group is the number, of any width."""
    before, after = NUMBER.split(pattern, maxsplit=1)
    return re.compile(re.escape(before) + r"(\d+)" + re.escape(after))


def check_apart(source: Path, target: Path) -> None:
    """Raise AdaINError where frames of ``target`` would replace frames of ``source``.

    Or would lie among them, where the source is a whole folder.
    """
    if not (is_pattern(target) or is_folder(target)):
        return
    if not (is_pattern(source) or source.is_dir()):
        return
    ours, theirs = (path.parent if is_pattern(path) else path for path in (target, source))
    if not (ours.is_dir() and theirs.is_dir() and ours.samefile(theirs)):
        return
    form = _form(target.name if is_pattern(target) else _NAME)
    if source.is_dir() or any(form.fullmatch(file.name) for file in numbered(source)):
        raise found_error(os.fspath(target), "frames of the input", "another folder or pattern")


class FrameWriter:
    """Writes each frame as a picture; all get their names at the end."""

    def __init__(self, path: Path, about: About) -> None:
        self.notes: list[str] = []
        self.size = about.width, about.height
        self._folder = path.parent if is_pattern(path) else path
        self._names = path.name if is_pattern(path) else _NAME
        check_folder(self._folder)
        self._made = make_folder(self._folder)
        self._written: list[str] = []
        name = os.fspath(path)
        with failing(name, "a folder that cannot be written", "a writable folder"):
            self._temporary = tempfile.TemporaryDirectory(dir=self._folder, prefix=".")

    @property
    def temporary(self) -> Path:
        return Path(self._temporary.name)

    def write(self, frame: Frame) -> None:
        name = frame_name(self._names, len(self._written) + 1)
        save_image(frame.pixels(), self.temporary / name)
        self._written.append(name)

    def copy(self, item: Copied) -> None:
        pass

    def finish(self) -> None:
        with failing(str(self._folder), "a folder that cannot be written", "a writable folder"):
            for name in self._written:
                os.replace(self.temporary / name, self._folder / name)
            self._note_others()
        self._made = []
        self.discard()

    def _note_others(self) -> None:
        """Frames of an earlier, longer video would follow these wherever the folder is read."""
        form, written = _form(self._names), set(self._written)
        found = {file.name for file in self._folder.iterdir() if form.fullmatch(file.name)}
        if others := sorted(found - written):
            count = f"{len(others)} other frames stay" if others[1:] else "another frame stays"
            self.notes.append(f"{count} in {self._folder}, such as {others[0]}")

    def discard(self) -> None:
        self._temporary.cleanup()
        with suppress(OSError):  # what somebody else has put there
            for folder in self._made:
                folder.rmdir()
