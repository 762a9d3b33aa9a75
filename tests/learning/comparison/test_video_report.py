"""The report of compared videos: means, cells without a figure, and the sheet."""

import csv
import io

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from video_files import scene

from adain.learning.comparison.video_options import VideoMethod
from adain.learning.comparison.video_report import (
    ClipResult,
    frames_sheet,
    means,
    metrics_csv,
    report_page,
)
from adain.video.clips import render


@pytest.fixture(scope="module")
def results():
    found = []
    for number, kind in enumerate(("pan", "cut")):
        clip = render(scene(), kind, 6, (96, 64))
        noisy = clip.frames + np.random.default_rng(0).normal(0, 0.2, clip.frames.shape)
        noisy = noisy.clip(0, 1).astype(np.float32)
        long = float("nan") if number else 4.0
        found += [
            ClipResult("<a>", "b", clip, None, clip.frames, {"short": 1.0, "long": long}),
            ClipResult(
                "<a>", "b", clip, VideoMethod("fast"), noisy, {"short": 2.0 + number, "long": long}
            ),
        ]
    return found


def test_means_leave_out_what_there_is_none_of(results):
    (_, *content), (name, *fast) = means(results)
    assert name == "fast, per frame"
    assert fast[:3] == ["2.50", "4.00", ""] and content[:3] == ["1.00", "4.00", ""]


def test_csv(results):
    rows = list(csv.DictReader(io.StringIO(metrics_csv(results))))
    assert [row["clip"] for row in rows] == ["pan", "pan", "cut", "cut"]
    assert (rows[1]["short"], rows[3]["short"], rows[3]["long"]) == ("2", "3", "")


def test_sheet_shows_flicker(results):
    sheet = np.asarray(frames_sheet(results).convert("L")).astype(float)
    assert sheet.shape == (28 + 4 * 64 + 3 * 6, 2 * 96 + 6)
    still, flickering = sheet[98:162, :96], sheet[98:162, 102:]
    assert flickering.std() > 2 * still.std() and abs(still.mean() - 127) < 15


def test_sheet_of_the_shortest_clip_compares_the_second_frame_with_the_first():
    still = render(scene(), "still", 2, (96, 64))
    frames = np.stack([still.frames[0] / 2, still.frames[0]])
    result = ClipResult("a", "b", still, None, frames, {"short": 1.0})
    flicker = np.asarray(frames_sheet([result]).convert("L"))[98:162]
    # It became lighter.
    assert flicker.mean() > 200


def test_page(results):
    page = report_page(results)
    assert "&lt;a&gt; in b: pan" in page and "<a> in b" not in page
    assert page.count("data:image/webp;base64,UklGR") == 4
