"""PNG: its chunks, of which Pillow is given those that make the pixels."""

from __future__ import annotations

import io
import struct
import zlib
from contextlib import suppress
from functools import partial
from typing import Any, BinaryIO

import numpy as np
from PIL import ImageFile, PngImagePlugin

from adain.images.colorimetry import SRGB_PRIMARIES, Encoding, from_code_points
from adain.images.containers.exif import orientation_of
from adain.images.containers.opened import Opened, Samples

_CRITICAL = (b"IHDR", b"PLTE", b"IDAT")
_LARGEST = 16 << 20  # bytes of a profile; of text what an orientation may lie in
_STEP = {"1": 255, "L;2": 85, "L;4": 17}  # between the levels of gray, by raw mode
_GRAY_ALPHA, _RGB, _RGBA = 4, 2, 6


def open_png(stream: BinaryIO) -> Opened:
    """A PNG from its start; raises what Pillow does where the pixels cannot be told."""
    pixels, about = _chunks(stream)
    header = about.get(b"IHDR", b"")
    depth, kind = header[8:10] if len(header) >= 13 else (0, 0)
    if depth == 16 and kind == _GRAY_ALPHA:
        # The same bytes as RGBA of 8 bits, filtered alike: Pillow keeps only half of them else.
        pixels[1] = chunk(b"IHDR", header[:8] + bytes((8, _RGBA)) + header[10:])
    file = b"".join(pixels)
    image = PngImagePlugin.PngImageFile(io.BytesIO(file))
    profile = _profile(about)
    if profile:
        image.info["icc_profile"] = profile
    _scale_key(image)
    samples = None
    if depth == 16 and kind in (_GRAY_ALPHA, _RGB, _RGBA):
        key = about.get(b"tRNS", b"")
        samples = partial(_sixteen_bits, image, file, kind, key, profile)
    encoding = _encoding(about, profile)
    return Opened(image.size, image, _orientation(about), encoding, samples)


def about_png(stream: BinaryIO) -> tuple[Encoding | None, int]:
    """How a PNG's colours are told beside its profile, and its orientation; pixels stay unread."""
    _, about = _chunks(stream, pixels=False)
    return _encoding(about, _profile(about)), _orientation(about)


def _chunks(stream: BinaryIO, *, pixels: bool = True) -> tuple[list[bytes], dict[bytes, bytes]]:
    """The chunks of the pixels as they stand, and the first of each sound kind by its name."""
    kept, text = [stream.read(8)], 0
    about: dict[bytes, bytes] = {}
    while len(head := stream.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IEND":
            break
        if kind == b"IDAT" and not pixels:
            stream.seek(length + 4, 1)
            continue
        body = stream.read(length + 4)
        if kind in _CRITICAL:
            kept += (head, body) if kind != b"IHDR" else (head + body,)
        if kind != b"IDAT" and len(body) == length + 4:
            data, crc = body[:-4], body[-4:]
            if struct.pack(">I", zlib.crc32(kind + data)) != crc:
                continue
            if kind == b"tRNS":
                kept += (head, body)
            if kind in (b"tEXt", b"zTXt", b"iTXt"):
                text += length
                kind, _, data = data.partition(b"\0") if text < _LARGEST else (kind, b"", b"")
            about.setdefault(kind, data)
    kept.append(chunk(b"IEND", b""))
    return kept, about


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _inflated(data: bytes) -> bytes:
    with suppress(zlib.error):
        return zlib.decompressobj().decompress(data, _LARGEST)
    return b""


def _profile(about: dict[bytes, bytes]) -> bytes | None:
    _, _, rest = about.get(b"iCCP", b"").partition(b"\0")
    return _inflated(rest[1:]) or None


def _encoding(about: dict[bytes, bytes], profile: bytes | None) -> Encoding | None:
    """As PNG's third edition has it: cICP before iCCP before sRGB before gAMA and cHRM."""
    with suppress(ValueError, struct.error, np.linalg.LinAlgError):
        if b"cICP" in about:
            primaries, transfer, matrix, full = struct.unpack(">4B", about[b"cICP"])
            if matrix == 0:  # RGB; a PNG holds nothing else
                return from_code_points(primaries, transfer, full_range=bool(full))
    if profile or b"sRGB" in about:
        return None
    points, transfer_of_power = SRGB_PRIMARIES, None
    with suppress(ValueError, struct.error, np.linalg.LinAlgError):
        white, colours = np.split(np.array(struct.unpack(">8I", about.get(b"cHRM", b""))), [2])
        found = tuple(float(n) / 100_000 for n in (*colours, *white))
        points = Encoding(found).primaries
    with suppress(ValueError, struct.error, ZeroDivisionError):
        (gamma,) = struct.unpack(">I", about.get(b"gAMA", b""))
        transfer_of_power = Encoding(transfer=100_000 / gamma).transfer
    encoding = Encoding(points, transfer_of_power or "srgb")
    return None if encoding.is_srgb else encoding


def _orientation(about: dict[bytes, bytes]) -> int:
    exif = about.get(b"eXIf", b"")
    if not exif and (raw := about.get(b"Raw profile type exif")):
        # ImageMagick's way, older than eXIf: a name, a length and hexadecimal digits, compressed.
        with suppress(ValueError):
            digits = b"".join(_inflated(raw[1:]).split()[2:])
            exif = bytes.fromhex(digits.decode("ascii"))
    return orientation_of(exif, about.get(b"XML:com.adobe.xmp", b""))


def _scale_key(image: ImageFile.ImageFile) -> None:
    # The tRNS colour of a PNG is in the file's bit depth, but pixels are decoded to 8 bits.
    key = image.info.get("transparency")
    rawmode = image.tile[0].args if image.tile else None
    if rawmode in _STEP and isinstance(key, int):
        # Pillow from 12.1 on scales the key of one bit itself, which the minimum leaves as it is.
        image.info["transparency"] = min(key * _STEP[str(rawmode)], 255)


def _sixteen_bits(
    image: ImageFile.ImageFile, file: bytes, kind: int, key: bytes, profile: bytes | None
) -> Samples:
    """All 16 bits of samples of which Pillow hands out 8."""
    if kind == _GRAY_ALPHA:
        both: Any = np.asarray(image).view(">u2").astype(np.uint16)
        return Samples(both[..., :1], "L", both[..., 1], profile=profile)
    high = np.asarray(image)
    other = PngImagePlugin.PngImageFile(io.BytesIO(file))
    # The unpacker of the other byte order takes the other byte.
    other.tile = [tile._replace(args=f"{image.mode};16L") for tile in other.tile]
    values = high.astype(np.uint16)
    values <<= 8
    values |= np.asarray(other)
    if kind == _RGBA:
        return Samples(values[..., :3], "RGB", values[..., 3], profile=profile)
    alpha = None
    if len(key) == 6:
        opaque = (values != np.frombuffer(key, ">u2")).any(axis=2)
        alpha = opaque.astype(np.uint8) * np.uint8(255)
    return Samples(values, "RGB", alpha, profile=profile)
