"""Two thousand damaged pictures: each is a picture or one line that says why not, and no more."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from sample_images import drawing, encoded, exif, linear_rgb, png
from tiff_files import page, tiff

from adain.errors import AdaINError
from adain.images import FORMATS, load_image
from benchmarks.mutation import mutated

COUNT = 2000


def seeds() -> list[bytes]:
    """Small files of every format and of many layouts."""
    found = []
    about = {"exif": exif(6), "icc_profile": linear_rgb()}
    for mode in ("RGB", "L", "RGBA", "P", "1", "CMYK"):
        image = drawing().quantize(6) if mode == "P" else drawing("RGBA").convert(mode)
        for format in FORMATS:
            for options in ({}, about) if format in ("JPEG", "PNG", "TIFF", "WEBP") else ({},):
                try:
                    found.append(encoded(image, format, **options))
                except (OSError, ValueError):
                    continue  # not a mode of this format
    for compression in ("tiff_lzw", "tiff_deflate", "packbits", "jpeg"):
        found.append(encoded(drawing(), "TIFF", compression=compression))
    found.append(encoded(drawing(), "JPEG", progressive=True))
    samples = np.random.default_rng(0).random((6, 8, 4))
    for dtype, full in (("u1", 255), ("u2", 65535), ("f4", 1)):
        values = (samples * full).astype(dtype)
        found += [tiff(page(values, 2, planar=planar, extra=(2,))) for planar in (False, True)]
        found += [tiff(page(values[..., :3], 8)), tiff(page(values[..., :1], 0, deflated=True))]
    found.append(png(2, 1, 16, 2, bytes(13), (b"gAMA", b"\0\1\x86\xa0"), (b"cHRM", bytes(32))))
    found.append(png(2, 1, 16, 4, bytes(9), (b"cICP", bytes((9, 16, 0, 1)))))
    return found


def read_all() -> None:
    """Print how many were pictures; anything but an AdaINError of one line is an error."""
    files, pictures = seeds(), 0
    for number in range(COUNT):
        data = mutated(files[number % len(files)], number, files)
        try:
            picture = load_image(data, max_side=(None, 16)[number % 2], max_pixels=1_000_000)
            assert picture.rgb.min() >= 0 and picture.rgb.max() <= 1
            pictures += 1
        except AdaINError as error:
            message = str(error)
            assert message.isprintable() and "Warning" not in message, message
    print(pictures)


def test_each_is_a_picture_or_an_error_of_one_line() -> None:
    """In a process of its own: decoders print to its stderr, whatever Python's is."""
    here = Path(__file__).resolve()
    path = os.pathsep.join([str(here.parents[2]), str(here.parents[1])])
    done = subprocess.run(
        [sys.executable, "-W", "error", str(here)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
        timeout=600,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert COUNT // 5 < int(done.stdout) < COUNT


def test_the_seeds_are_pictures() -> None:
    assert all(load_image(data).width for data in seeds())


if __name__ == "__main__":
    read_all()
