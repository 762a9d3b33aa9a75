"""Container files as PyAV opens them: no lists of other files, and truncated ones known as such."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av

# What FFmpeg takes for a video and is a list of other files or addresses, a script or a device.
_LISTS: tuple[str, ...] = (
    "concat",
    "dash",
    "hls",
    "image2",
    "imf",
    "rtp",
    "rtsp",
    "sap",
    "sdp",
    "vobsub",
)
_LISTS += ("webm_dash_manifest", "avisynth", "vapoursynth", "lavfi", "tty")
_OPTIONS = {
    "format_whitelist": ",".join(sorted(av.formats_available - set(_LISTS))),
    "protocol_whitelist": "file",
}
_EBML, _SEGMENT, _VOID = 0x1A45DFA3, 0x18538067, 0xEC
# Boxes that MP4 and QuickTime files consist of; anything else behind them is not theirs.
_BOXES: tuple[bytes, ...] = (
    b"ftyp",
    b"moov",
    b"mdat",
    b"moof",
    b"mfra",
    b"free",
    b"skip",
    b"wide",
    b"uuid",
)
_BOXES += (b"sidx", b"styp", b"pnot", b"meta")
# Boxes of nothing: what they lack is not missed.
_EMPTY = (b"free", b"skip", b"wide")
_UNKNOWN = 0xFFFFFFFF


def open_file(name: str) -> av.container.InputContainer:
    """A video file as PyAV opens it, and no other file or address that it may name."""
    return av.open(os.path.abspath(name), options=_OPTIONS)  # in "a:b.mp4" a is no protocol


def missing_bytes(path: str | os.PathLike[str]) -> str | None:
    """What a truncated Matroska, WebM, MP4, QuickTime or AVI file has of its bytes, or None.

    FFmpeg takes what is there for all. These containers state the length of their parts, and a
    file that is shorter was cut off. None as well for files of other kinds, and where the length
    was never filled in, as of a live recording.
    """
    size = Path(path).stat().st_size
    with open(path, "rb") as file:
        head = file.read(12)
        stated = 0
        if head[:4] == _EBML.to_bytes(4, "big"):
            stated = _matroska(file)
        elif head[:4] == b"RIFF" and head[8:] == b"AVI ":
            stated = _chain(file, size, _riff, align=2)
        elif head[4:8] in _BOXES:
            stated = _chain(file, size, _box)
    return f"{size} of {stated} bytes" if size < stated else None


def last_frames(container: av.container.InputContainer, index: int) -> tuple[Fraction, Fraction]:
    """When the last but one key frame of a truncated stream is shown, and until when none lacks.

    In seconds, without decoding. The last packet may be a part of one, and frames that are not
    there are decoded, and so shown, no earlier than it. Nothing can be read from the container
    afterwards.
    """
    keys, complete = [Fraction(0), Fraction(0)], Fraction(0)
    with suppress(av.error.FFmpegError):
        for packet in container.demux(container.streams[index]):
            if packet.dts is None or packet.pts is None or packet.time_base is None:
                continue
            complete = max(complete, packet.dts * packet.time_base)
            if packet.is_keyframe:
                keys = [keys[1], packet.pts * packet.time_base]
    return keys[0], complete


def _matroska(file: BinaryIO) -> int:
    """Where the segment ends, after EBML's head (RFC 8794, 9559); 0 where it is not said."""
    at = 0
    while True:
        file.seek(at)
        head = file.read(16)
        if len(head) < 2 or not head[0]:
            return 0
        width = 9 - head[0].bit_length()
        kind = int.from_bytes(head[:width], "big")
        rest = head[width:]
        if not rest or not rest[0] or kind not in (_EBML, _SEGMENT, _VOID):
            return 0
        count = 9 - rest[0].bit_length()
        bits = (1 << 7 * count) - 1
        length = int.from_bytes(rest[:count], "big") & bits
        if length == bits:
            return 0
        at += width + count + length
        if kind == _SEGMENT:
            return at


def _chain(file: BinaryIO, size: int, length: Callable[[bytes], int], align: int = 1) -> int:
    """Where the last of a file's parts ends, each of which says its length."""
    at = 0
    while at + 8 <= size:
        at += at % align
        file.seek(at)
        head = file.read(16)
        found = length(head)
        if found < 8 or (head[4:8] in _EMPTY and at + found > size):
            break
        at += found
    return at


def _riff(head: bytes) -> int:
    kind, length = struct.unpack("<4sI", head[:8])
    return 8 + length if kind == b"RIFF" and length not in (0, _UNKNOWN) else 0


def _box(head: bytes) -> int:
    length, kind = struct.unpack(">I4s", head[:8])
    if kind not in _BOXES:
        return 0
    return int.from_bytes(head[8:16], "big") if length == 1 else length
