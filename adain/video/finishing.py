"""What FFmpeg leaves out of APNG and animated WebP: how long the last frame is shown, and alpha.

Frames are encoded with the times at which they begin, and nothing comes after the last. And where
what is transparent is never drawn on, libwebp's file does not say that it has alpha.
"""

import struct
import zlib
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

_PNG_HEAD, _RIFF_HEAD = 8, 12
_WEBP_ALPHA = 0x10


def complete(path: Path, muxer: str, duration: Fraction, *, has_alpha: bool) -> None:
    """Write the duration of the last frame into a file of APNG or WebP; leave others alone."""
    milliseconds = round(duration * 1000)
    if muxer not in ("apng", "webp"):
        return
    with open(path, "r+b") as file:
        if muxer == "apng":
            _patch_png(file, min(milliseconds, 0xFFFF))
        else:
            _patch_webp(file, min(milliseconds, 0xFFFFFF), has_alpha)


def _patch_png(file: BinaryIO, milliseconds: int) -> None:
    last, at = None, _PNG_HEAD
    while len(head := _read(file, at, 8)) == 8:
        size, kind = struct.unpack(">I4s", head)
        if kind == b"fcTL":
            last = at
        at += size + 12
    if last is not None:
        # A fraction of a second, in the control of the frame.
        control = b"fcTL" + _read(file, last + 8, 20) + struct.pack(">HH", milliseconds, 1000)
        control += _read(file, last + 32, 2)
        file.seek(last + 4)
        file.write(control + struct.pack(">I", zlib.crc32(control)))


def _patch_webp(file: BinaryIO, milliseconds: int, has_alpha: bool) -> None:
    last, at = None, _RIFF_HEAD
    while len(head := _read(file, at, 8)) == 8:
        kind, size = struct.unpack("<4sI", head)
        if kind == b"ANMF":
            last = at
        elif kind == b"VP8X" and has_alpha:
            flags = _read(file, at + 8, 1)[0] | _WEBP_ALPHA
            file.seek(at + 8)
            file.write(bytes([flags]))
        at += 8 + size + size % 2
    if last is not None:
        file.seek(last + 8 + 12)
        file.write(milliseconds.to_bytes(3, "little"))


def _read(file: BinaryIO, at: int, size: int) -> bytes:
    file.seek(at)
    return file.read(size)
