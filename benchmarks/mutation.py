"""Byte mutation: sound files made broken, the same for the same seed."""

from collections.abc import Sequence

import numpy as np

_HEAD = 8192  # bytes at most at either end, where sizes, metadata and tables of contents are
_TELLING = (0, 1, 127, 128, 255)


def mutated(data: bytes, seed: int, others: Sequence[bytes] = ()) -> bytes:
    """Sound bytes with one to five changes, most of them where structure is rather than numbers.

    A byte or some are changed, cut out, doubled or zeroed, the rest is cut off, or goes on as one
    of the ``others`` does from there.
    """
    rng = np.random.default_rng(seed)
    found = bytearray(data) or bytearray(1)
    for _ in range(int(rng.choice([1, 1, 1, 2, 5]))):
        size = len(found)
        ends = min(size, _HEAD, max(64, size // 8))
        place = int(rng.integers(0, size if rng.random() < 0.4 else ends))
        if rng.random() < 0.25:
            place = size - 1 - int(rng.integers(0, ends))
        length = int(rng.integers(1, 65))
        match int(rng.integers(0, 9)):
            case 0 | 1:
                found[place] = int(rng.integers(0, 256))
            case 2:
                found[place] = int(rng.choice(_TELLING))
            case 3:
                found[place] ^= 1 << int(rng.integers(0, 8))
            case 4:
                found[place : place + length] = rng.bytes(length)
            case 5:
                del found[place : place + length]
            case 6:
                found[place:place] = found[place : place + length]
            case 7:  # a full disk, or one that lost a block
                if rng.random() < 0.5:
                    del found[place:]
                else:
                    found[place : place + 4096] = bytes(min(4096, size - place))
            case _ if others:
                found[place:] = others[int(rng.integers(0, len(others)))][place:]
        found = found or bytearray(1)
    return bytes(found)
