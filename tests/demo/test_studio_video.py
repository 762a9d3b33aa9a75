"""The tab of videos, in a real browser."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from video_files import decoded, drawn, encode
from visits import Visit

from adain import Stylizer
from adain.demo.studio import offers_video, style_names
from adain.drawings import catalog
from adain.options import StylizeOptions
from adain.server.settings import Settings
from adain.video import VideoOptions, stylize_video

OVER = "#video-start:text-is('Make it')"


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """One second that this browser can show, whichever codecs it has."""
    frames = [drawn(n) for n in range(25)]
    return encode(tmp_path / "my film.webm", frames, codec="libvpx-vp9", options={"cpu-used": "8"})


@pytest.fixture
def long(tmp_path: Path) -> Path:
    frames = [drawn(n) for n in range(25)]
    return encode(tmp_path / "long.mp4", frames * 60, options={"preset": "ultrafast"})


def take(visit: Visit, file: Path) -> None:
    visit.tab("Video")
    visit.choose("video-choose", file)
    visit.wait_for_text("#video-state", file.name)


def shown(visit: Visit) -> str:
    """Which of the two videos is seen: "before", "after" or ""."""
    return str(
        visit.page.evaluate(
            "[...document.querySelectorAll('#video-screen video')]"
            ".filter((video) => !video.hidden).map((video) => video.className).join()"
        )
    )


def test_a_part_is_made_shown_beside_the_original_and_saved(
    visit: Visit, stylizer: Stylizer, film: Path, tmp_path: Path
) -> None:
    page = visit.page
    take(visit, film)
    page.wait_for_function("document.querySelector('#video-to').placeholder === '1.0'")
    assert shown(visit) == "before"
    visit.set_slider("strength", 70)
    visit.set_slider("video-steady", 50)
    page.fill("#video-from", "0.2")
    page.fill("#video-to", "0.6")
    page.click("#video-start")
    visit.wait_for_text("#video-state", "10 pictures,")
    assert shown(visit) == "after"
    duration = "document.querySelector('#video-screen .after').duration"
    page.wait_for_function(f"Math.abs({duration} - 0.4) < 0.05")
    page.check("#video-original input")
    assert shown(visit) == "before"
    page.uncheck("#video-original input")
    with page.expect_download() as saved:
        page.click("#video-save")
    name = saved.value.suggested_filename
    assert name in ("my film-stylized.mp4", "my film-stylized.webm")
    found, wanted = tmp_path / name, tmp_path / f"wanted{Path(name).suffix}"
    saved.value.save_as(found)
    style = catalog.file_of(style_names()[0])
    options, part = StylizeOptions(alpha=0.7), VideoOptions(steady=0.5, start=0.2, end=0.6)
    stylize_video(film, style, wanted, options, part, stylizer=stylizer)
    (times, frames), (wanted_times, wanted_frames) = decoded(found), decoded(wanted)
    assert times == wanted_times
    # What encoders leave out is not the same in every run.
    assert np.abs(np.asarray(frames, float) - np.asarray(wanted_frames, float)).mean() < 4


def test_one_is_stopped_and_one_goes_on_without_its_page(
    visit: Visit, long: Path, film: Path
) -> None:
    page = visit.page
    take(visit, long)
    page.click("#video-start")
    visit.wait_for_text("#video-rate", " of 1500 pictures, ")
    assert " a second, about " in page.inner_text("#video-rate")
    assert 0 < page.evaluate("document.querySelector('#video-progress').value") < 1
    page.reload()
    visit.wait_for_text("#video-rate", " of 1500 pictures, ")
    visit.files_to("#result", "drop", film)
    visit.wait_for_text(".notice", "A video is being made: stop it before you choose another.")
    with page.expect_response(lambda answer: answer.request.method == "DELETE") as deleted:
        page.click("#video-start")
    assert deleted.value.status == 204
    page.wait_for_selector(OVER)
    assert page.inner_text("#video-state") == "Stopped."
    address = deleted.value.url
    assert page.request.get(address).json()["state"] == "cancelled"


def test_one_that_was_lost_sight_of_makes_room_for_the_next(visit: Visit, film: Path) -> None:
    page = visit.page
    take(visit, film)
    page.route("**/v1/video/*", lambda route: route.abort())
    page.click("#video-start")
    visit.wait_for_text(".notice", "The server cannot be reached.")
    page.unroute("**/v1/video/*")
    visit.complaints.clear()  # the browser tells of the failure
    with page.expect_response(lambda answer: answer.request.method == "DELETE") as deleted:
        page.click("#video-start")
    assert deleted.value.status == 204
    visit.wait_for_text("#video-state", "25 pictures,")


def test_what_is_no_video_is_said_in_words(visit: Visit, tmp_path: Path, content: Path) -> None:
    page = visit.page
    notes = tmp_path / "notes.mp4"
    notes.write_text("Buy more turpentine.")
    take(visit, notes)
    visit.wait_for_text("#video-state", "this browser cannot show it")
    page.click("#video-start")
    visit.wait_for_text(".notice", "notes.mp4: found no video")
    page.wait_for_selector(OVER)
    visit.complaints.clear()  # the browser tells of the answer 400
    visit.choose("video-choose", content)
    visit.wait_for_text(".notice", f"{content.name} is not a video.")


def test_a_video_that_is_dropped_anywhere_opens_the_tab(visit: Visit, film: Path) -> None:
    visit.files_to("#result", "drop", film)
    visit.wait_for_text("#video-state", film.name)
    assert visit.page.get_attribute("#tab-video", "aria-selected") == "true"
    assert visit.page.is_enabled("#video-start")


def test_on_a_phone_and_by_keys_alone(phone: Visit, film: Path) -> None:
    page = phone.page
    take(phone, film)
    page.locator("#video-choose").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "video-start"
    page.keyboard.press("Enter")
    phone.wait_for_text("#video-state", "25 pictures,")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert phone.violations() == []


def test_a_server_without_videos_has_no_tab() -> None:
    assert offers_video(Settings())
    assert not offers_video(Settings(video=False))
