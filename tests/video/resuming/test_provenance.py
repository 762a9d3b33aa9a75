"""What makes a video another one, and what does not."""

import io
import os

import numpy as np
import pytest
from PIL import Image
from video_files import drawn, encode

from adain.options import StylizeOptions
from adain.video import VideoOptions
from adain.video.resuming.provenance import recipe_of


@pytest.fixture
def told(stylizer, tmp_path):
    encode(tmp_path / "in.mp4", [drawn(0)])

    def told(style, source="in.mp4", options=StylizeOptions(), video=VideoOptions()):  # noqa: B008
        return recipe_of(tmp_path / source, style, options, video, stylizer)

    return told


def test_the_same_from_files_arrays_and_streams(told, stylizer, painting, tmp_path):
    Image.fromarray(painting).save(tmp_path / "style.png")
    data = (tmp_path / "style.png").read_bytes()
    recipes = [told(s)[3] for s in (painting, [painting], tmp_path / "style.png", io.BytesIO(data))]
    assert all(recipe == recipes[0] for recipe in recipes)
    # A stream is read once, and what was read is handed on.
    read = told(io.BytesIO(data))[0]
    assert np.array_equal(read[0].to_array(), painting)
    assert told(stylizer.encode_style(painting))[3]["styles"] != recipes[0]["styles"]


def test_frames_of_a_folder(told, painting, tmp_path):
    (tmp_path / "frames").mkdir()
    for number in range(3):
        Image.fromarray(drawn(number)).save(tmp_path / "frames" / f"{number}.png")
    found = told(painting, "frames")[3]
    assert found == told(painting, "frames")[3]
    assert found["source"] == told(painting, "frames/%d.png")[3]["source"]
    os.utime(tmp_path / "frames" / "1.png", (1, 1))
    assert found["source"] != told(painting, "frames")[3]["source"]
