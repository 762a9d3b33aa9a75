"""The photographs that ship: small files, upright, in sRGB, each with its credit."""

from __future__ import annotations

import re

import pytest
from PIL import Image

from adain.drawings.photographs import FOLDER, PHOTOGRAPHS, Photograph
from adain.images import load_image

CREDITS = (FOLDER / "CREDITS.txt").read_text(encoding="utf-8")
LICENCES = ("CC0", "CC BY 2.0", "CC BY 4.0", "public domain")
MOST = 400_000  # bytes, in the wheel and in everybody's checkout


def test_the_folder_holds_them_and_nothing_else() -> None:
    files = {path.name for path in FOLDER.iterdir()} - {"CREDITS.txt"}
    assert files == {photograph.path.name for photograph in PHOTOGRAPHS.values()}
    assert sum(path.stat().st_size for path in FOLDER.glob("*.jpg")) <= MOST


@pytest.mark.parametrize("photograph", PHOTOGRAPHS.values(), ids=list(PHOTOGRAPHS))
def test_it_is_a_photo_as_any_program_reads_it(photograph: Photograph) -> None:
    with Image.open(photograph.path) as image:
        assert (image.format, image.mode) == ("JPEG", "RGB")
        assert 512 <= max(image.size) <= 1024
        # No place, camera or owner of it, and no profile: it is upright and in sRGB as it is.
        assert not image.getexif() and "icc_profile" not in image.info
        size = image.size
    picture = load_image(photograph.path)
    assert (picture.width, picture.height) == size
    assert picture.rgb.std() > 0.1


@pytest.mark.parametrize("photograph", PHOTOGRAPHS.values(), ids=list(PHOTOGRAPHS))
def test_the_credits_name_its_author_and_its_licence(photograph: Photograph) -> None:
    author, licence = photograph.credit.rsplit(", ", 1)
    assert licence in LICENCES
    [entry] = re.findall(rf"^{re.escape(photograph.path.name)} +(.+?\.)$", CREDITS, re.M | re.S)
    assert licence in entry and author.replace("“", '"').replace("”", '"') in entry
    if licence.startswith("CC BY"):  # the licence asks for its address
        assert re.search(rf"^{licence}: https://creativecommons\.org/licenses/by/", CREDITS, re.M)
