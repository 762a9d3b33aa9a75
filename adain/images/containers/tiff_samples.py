"""TIFF's layouts that Pillow reads wrongly or not at all: more than 8 bits, planes, extra channels.

Pillow (its libtiff) unpacks each piece, by presenting the page as gray of 8 bits whose rows are as
many bytes long; what these bytes mean is worked out here.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import TiffImagePlugin

from adain.images.containers import tiff_page as tags
from adain.images.containers.opened import Samples
from adain.images.containers.tiff_page import Page, built, unread

_WHITE_IS_0, _BLACK_IS_0, _RGB, _PALETTE, _CMYK, _YCBCR, _CIELAB, _ICCLAB = 0, 1, 2, 3, 5, 6, 8, 9
_CHANNELS = {_WHITE_IS_0: 1, _BLACK_IS_0: 1, _RGB: 3, _PALETTE: 1, _CMYK: 4, _CIELAB: 3, _ICCLAB: 3}
_UNREAD = {10: "ITU L*a*b*", 32803: "a camera's raw samples", 34892: "a camera's raw samples"}
_UNREAD |= {32844: "LogL samples", 32845: "LogLuv samples", 4: "a mask alone"}
# Of samples that are no plain bytes once unpacked: CCITT's, JPEG's, JPEG 2000's, WebP's.
_OF_PICTURES = {2, 3, 4, 6, 7, 33003, 33005, 34712, 34892, 50001}
_UNSIGNED, _SIGNED, _FLOAT = 1, 2, 3
_BAND = 64  # rows whose bits are taken apart at a time


def is_for_pillow(page: Page) -> bool:
    """Whether Pillow's own reader gets all of a page right."""
    kind, samples = page.one(tags.PHOTOMETRIC, _BLACK_IS_0), page.one(tags.SAMPLES, 1)
    bits = set(page.all(tags.BITS, (1,)))
    if page.one(tags.COMPRESSION, 1) in _OF_PICTURES or kind == _YCBCR:
        return True
    if page.one(tags.PLANAR, 1) == 2 and samples > 1:
        return False
    form = page.one(tags.FORMAT, _UNSIGNED)
    if kind == _BLACK_IS_0 and samples == 1 and bits == {32}:
        return form == _SIGNED  # 0 to 65535, as Pillow writes mode I
    if form != _UNSIGNED:
        return False
    if samples == 1 and kind in (_WHITE_IS_0, _BLACK_IS_0, _PALETTE):
        return bits <= {1, 2, 4, 8} or (bits == {16} and kind == _BLACK_IS_0)
    plain = {(_RGB, 3), (_RGB, 4), (_CMYK, 4), (_CIELAB, 3)}
    return bits == {8} and (kind, samples) in plain and len(page.all(tags.EXTRA)) <= 1


def sample_bytes(page: Page, name: str) -> int:
    """How many bytes the samples of a page take; AdaINError where they are none that are read."""
    bits, _ = _form(page, name)
    (width, height), (across, down) = page.piece_size, page.grid
    return across * width * down * height * page.one(tags.SAMPLES, 1) * -(-bits // 8)


def tiff_samples(page: Page, pieces: Sequence[bytes], profile: bytes | None, name: str) -> Samples:
    """The samples of a page; AdaINError for layouts that are not read."""
    bits, form = _form(page, name)
    count = page.one(tags.SAMPLES, 1)
    if page.one(tags.PLANAR, 1) == 2:
        share = len(pieces) // count
        parts = [pieces[i * share : (i + 1) * share] for i in range(count)]
        planes = [_unpacked(page, part, 1, bits, form, name) for part in parts]
        values = np.concatenate(planes, axis=2)
    else:
        values = _unpacked(page, pieces, count, bits, form, name)
    kind = page.one(tags.PHOTOMETRIC, _BLACK_IS_0)
    channels = _CHANNELS[kind]
    extra = page.all(tags.EXTRA, (2,) if count == channels + 1 else ())
    alpha, associated = None, False
    for number, meaning in enumerate(extra[: count - channels]):
        if meaning in (1, 2):
            alpha, associated = values[..., channels + number], meaning == 1
            break
    colour: npt.NDArray[Any] = values[..., :channels]
    space: Literal["L", "RGB", "CMYK", "LAB"] = "RGB"
    if kind in (_WHITE_IS_0, _BLACK_IS_0):
        space = "L"
        if kind == _WHITE_IS_0:
            colour = (1 if form == _FLOAT or bits not in (8, 16) else 2**bits - 1) - colour
    elif kind == _PALETTE:
        table = np.array(page.all(tags.COLOURS), np.uint16).reshape(3, -1).T
        index = colour[..., 0] if bits in (8, 16) else np.rint(colour[..., 0] * (2**bits - 1))
        colour = table[np.minimum(index.astype(np.intp), len(table) - 1)]
    elif kind == _CMYK:
        space = "CMYK"
    elif kind in (_CIELAB, _ICCLAB):
        space, colour = "LAB", _lab(colour, kind, form)
    return Samples(np.ascontiguousarray(colour), space, alpha, associated, profile)


def _form(page: Page, name: str) -> tuple[int, int]:
    """Bits and format of the samples; AdaINError where they are none that are read."""
    kind = page.one(tags.PHOTOMETRIC, _BLACK_IS_0)
    count = page.one(tags.SAMPLES, 1)
    bits, forms = set(page.all(tags.BITS, (1,))), set(page.all(tags.FORMAT, (_UNSIGNED,)))
    compression = page.one(tags.COMPRESSION, 1)
    if kind not in _CHANNELS:
        raise unread(name, _UNREAD.get(kind, f"photometric interpretation {kind}"))
    if kind == _CMYK and page.one(tags.INKS, 1) != 1:
        raise unread(name, "inks other than CMYK")
    if count < _CHANNELS[kind]:
        raise unread(name, f"{count} samples a pixel")
    if len(bits) > 1 or len(forms) > 1:
        raise unread(name, f"samples of {sorted(bits)} bits and formats {sorted(forms)}")
    if compression not in TiffImagePlugin.COMPRESSION_INFO:
        raise unread(name, f"compression {compression}")
    (bit,), (form,) = bits, forms
    form = _UNSIGNED if form in (0, 4) else form  # 4 is "undefined"
    known = bit in (16, 32, 64) if form == _FLOAT else 1 <= bit <= 32
    if not known or form not in (_UNSIGNED, _FLOAT):
        words = {_UNSIGNED: "whole numbers", _SIGNED: "signed numbers", _FLOAT: "floats"}
        raise unread(name, f"{words.get(form, 'complex numbers')} of {bit} bits")
    predictor = page.one(tags.PREDICTOR, 1)
    if predictor not in (1, 2, 3) or (predictor == 2 and bit not in (8, 16, 32, 64)):
        raise unread(name, f"predictor {predictor} at {bit} bits")
    return bit, form


def _unpacked(
    page: Page, pieces: Sequence[bytes], count: int, bits: int, form: int, name: str
) -> npt.NDArray[Any]:
    """uint8, uint16 or float32 [H, W, count]; whole numbers of other sizes as parts of the most."""
    (across, down), (width, height) = page.grid, page.piece_size
    row = -(-width * count * bits // 8)
    tall = down * height if page.tiled else page.one(tags.HEIGHT)
    gray = {
        tags.WIDTH: (4, (across * row,)),
        tags.HEIGHT: (4, (tall,)),
        tags.BITS: (3, (8,)),
        tags.COMPRESSION: (3, (page.one(tags.COMPRESSION, 1),)),
        tags.PHOTOMETRIC: (3, (_BLACK_IS_0,)),
        tags.FILL_ORDER: (3, (page.one(tags.FILL_ORDER, 1),)),
        tags.SAMPLES: (3, (1,)),
    }
    if page.tiled:
        gray |= {tags.TILE_WIDTH: (4, (row,)), tags.TILE_HEIGHT: (4, (height,))}
    else:
        gray[tags.ROWS] = 4, (height,)
    image = TiffImagePlugin.TiffImageFile(io.BytesIO(built(page.order, gray, pieces)))
    rows = np.asarray(image).reshape(tall, across, row)
    predictor = page.one(tags.PREDICTOR, 1) if page.one(tags.COMPRESSION, 1) != 1 else 1
    size = page.one(tags.HEIGHT), page.one(tags.WIDTH), count
    if bits in (8, 16, 32, 64):
        values = _numbers(rows, page.order, count, bits, form, predictor)
        values = values.reshape(tall, -1, count)[: size[0], : size[1]]
        if form == _FLOAT:
            return values.astype(np.float32)
        if bits > 16:
            return np.asarray(values / (2**bits - 1), np.float32)
        return np.asarray(values, values.dtype.newbyteorder("="))
    result = np.empty(size, np.float32)
    weights = (1 << np.arange(bits)[::-1]) / (2**bits - 1)
    for start in range(0, size[0], _BAND):
        part = np.unpackbits(rows[start : start + _BAND], axis=2)[..., : width * count * bits]
        part = part[: size[0] - start]
        values = part.reshape(len(part), -1, bits) @ weights
        result[start : start + _BAND] = values.reshape(len(part), -1, count)[:, : size[1]]
    return result


def _numbers(
    rows: npt.NDArray[np.uint8], order: str, count: int, bits: int, form: int, predictor: int
) -> npt.NDArray[Any]:
    """Bytes [H, pieces, row] as numbers [H, pieces, row of numbers], the predictor undone."""
    size = bits // 8
    letter = "f" if form == _FLOAT else "u"
    if predictor == 3:
        # Differences of bytes, of which the numbers' first lie together, then their second...
        summed = rows.reshape(*rows.shape[:2], -1, count)
        summed = np.add.accumulate(summed, axis=2, dtype=np.uint8).reshape(rows.shape)
        planes = summed.reshape(*rows.shape[:2], size, -1)
        together = np.ascontiguousarray(planes.transpose(0, 1, 3, 2))
        return together.view(f">{letter}{size}")[..., 0]
    values = np.ascontiguousarray(rows).view(f"{order}u{size}")
    if predictor == 2:
        native = values.astype(f"=u{size}").reshape(*values.shape[:2], -1, count)
        native = np.add.accumulate(native, axis=2, dtype=native.dtype)
        values = native.reshape(values.shape)
        return values.view(f"={letter}{size}")
    numbers: npt.NDArray[Any] = values.view(f"{order}{letter}{size}")
    return numbers


def _lab(colour: npt.NDArray[Any], kind: int, form: int) -> npt.NDArray[np.float32]:
    """L* in 0..100, a* and b*, from the encodings of TIFF and of ICC."""
    if form == _FLOAT:
        return colour.astype(np.float32)
    if colour.dtype.kind == "f":
        raise ValueError("L*a*b* of neither 8 nor 16 bits")
    lab = np.empty(colour.shape, np.float32)
    wide = colour.dtype == np.uint16
    if kind == _ICCLAB:
        lab[..., 0] = colour[..., 0] * (100 / (65280 if wide else 255))
        lab[..., 1:] = colour[..., 1:] / (256 if wide else 1) - 128.0
    else:
        lab[..., 0] = colour[..., 0] * (100 / (65535 if wide else 255))
        signed = np.ascontiguousarray(colour[..., 1:])
        lab[..., 1:] = (signed.view(np.int16) if wide else signed.view(np.int8)) / (
            256 if wide else 1
        )
    return lab
