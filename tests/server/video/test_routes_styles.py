"""Masks, painted strength and styles that change over time in `/v1/video`, as the library's."""

from __future__ import annotations

import asyncio
import zlib
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from serving import Demo, encoded, one_line, picture, waves
from video_files import decoded, drawn, encode, scene
from video_jobs import EXACT, end_of, job_of, send

from adain import Style, Stylizer
from adain.drawings import catalog
from adain.errors import DeviceError
from adain.images import load_image
from adain.options import StylizeOptions
from adain.server import routes
from adain.server.engine import Engine
from adain.server.metrics import Metrics
from adain.server.settings import Settings
from adain.server.style_store import StyleStore
from adain.server.video.jobs import Videos
from adain.video import VideoOptions, stylize_video
from adain.video.clips import render

FIRST, SECOND = picture(64, 50, 2), picture(50, 70, 3)
NIGHT = catalog.file_of("night")


@pytest.fixture
def moving(tmp_path: Path) -> Path:
    """A camera that moves: strips that come into sight are stylized by themselves where they are as
    in the whole."""
    frames = render(scene(), "pan", 7, (176, 112)).pixels()
    return encode(tmp_path / "moving.mp4", frames)


def gray(width: int, height: int, seed: int) -> bytes:
    """A map of that size, 0 at its left and 1 at its right edge."""
    levels = waves(width, height, seed)[..., 0].copy()
    levels[:, : width // 4], levels[:, -width // 4 :] = 0, 255
    return encoded(levels)


def assert_the_librarys(
    client: httpx.Client,
    stylizer: Stylizer,
    video: Path,
    sent: dict[str, Any],
    styles: Any,
    options: StylizeOptions,
    how: VideoOptions,
) -> list[np.ndarray]:
    """A job of what is sent gives frames that are the library's, to the bit; these."""
    about = end_of(client, job_of(send(client, video, crf=EXACT, **sent)))
    assert about["state"] == "done", about
    found, wanted = video.with_name("found.mp4"), video.with_name("wanted.mp4")
    found.write_bytes(client.get(about["file"]).content)
    client.delete(f"/v1/video/{about['id']}")
    stylize_video(video, styles, wanted, options, how, stylizer=stylizer)
    frames = decoded(found)[1]
    assert len(frames) == len(decoded(wanted)[1]) > 1
    for frame, other in zip(frames, decoded(wanted)[1], strict=True):
        assert np.array_equal(frame, other)
    return frames


def test_masks_and_a_painted_strength(
    client: httpx.Client, stylizer: Stylizer, moving: Path
) -> None:
    # Larger than the frames, smaller, and of their size after `max_side`.
    masks, strength = [gray(360, 240, 4), gray(30, 20, 5)], gray(165, 105, 6)
    sent = {"style": [FIRST, SECOND], "style_id": "", "mask": masks, "weight": [1, 3]}
    sent |= {"alpha": 0.7, "strength_map": strength, "max_side": 165, "stylize_every": 2}
    levels = np.float32(0.7) * load_image(strength).rgb[..., 0]
    options = StylizeOptions(masks=masks, style_weights=[1, 3], alpha=levels, max_side=165)
    how = VideoOptions(stylize_every=2, crf=EXACT)
    assert_the_librarys(client, stylizer, moving, sent, [FIRST, SECOND], options, how)


def test_styles_that_change_over_time(
    client: httpx.Client, stylizer: Stylizer, moving: Path
) -> None:
    """Those of files, of the gallery and of ids; times are the whole video's, not the part's."""
    name = client.post("/v1/styles", files={"file": ("a.png", SECOND)}).json()["id"]
    third = picture(40, 40, 8)
    sent: dict[str, Any] = {"style": FIRST, "weight": [3, 1], "start": 0.04, "stylize_every": 2}
    sent |= {"style_at": ["0.24", f"0:00.1={name}", "0.16"], "style_at_file": [third, FIRST]}
    at = {0.1: SECOND, 0.16: FIRST, 0.24: third}
    options = StylizeOptions(style_weights=[3, 1])
    how = VideoOptions(style_at=at, start=0.04, stylize_every=2, crf=EXACT)
    frames = assert_the_librarys(client, stylizer, moving, sent, [FIRST, NIGHT], options, how)
    assert np.abs(frames[0].astype(int) - frames[-1]).mean() > 5


def test_a_style_at_the_beginning_and_the_contents_colours(
    client: httpx.Client, stylizer: Stylizer, video: Path
) -> None:
    sent = {"style_at": ["0=woodcut", "0.4=night"], "colours": "luminance", "end": 0.5}
    woodcut = catalog.file_of("woodcut")
    how = VideoOptions(style_at={0: woodcut, 0.4: NIGHT}, end=0.5, crf=EXACT)
    options = StylizeOptions(colours="luminance")
    assert_the_librarys(client, stylizer, video, sent, NIGHT, options, how)


def test_matched_colours_are_those_of_whole_frames(
    client: httpx.Client, stylizer: Stylizer, moving: Path
) -> None:
    options = StylizeOptions(colours="matched")
    sent = {"colours": "matched", "stylize_every": 3}
    how = VideoOptions(stylize_every=3, crf=EXACT)
    assert_the_librarys(client, stylizer, moving, sent, NIGHT, options, how)


TEXT = "found text; allowed: a file, which curl sends by"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"mask": [FIRST, FIRST]}, "mask: found 2 for 1 style; allowed: one for each style"),
        ({"mask": [FIRST] * 9}, "mask: "),
        ({"strength_map": [FIRST, FIRST]}, "strength_map: found 2 of them; allowed: one"),
        ({"style_at": "night"}, "style_at: found 'night'; allowed: seconds, such as 12.5"),
        ({"style_at": "1="}, "style_at: found '1='; allowed: a time and a style"),
        ({"style_at": "-1=night"}, "style_at: found '-1'; allowed: seconds"),
        ({"style_at": "nan=night"}, "style_at: found 'nan'; allowed: seconds"),
        ({"style_at": "9" * 190 + "=night"}, "style_at: found 1e+190 s; allowed: at most 1,000,"),
        ({"style_at": "1" * 300}, "style_at.0: "),
        ({"style_at": ["1=night"] * 9}, "style_at: "),
        ({"style_at": ["60=night", "1:00=woodcut"]}, "style_at: found two styles at 60 s; allowed"),
        ({"style_at": "1"}, "style_at_file: found 0 for 1 style_at that are a time alone"),
        ({"style_at": "1=night", "style_at_file": FIRST}, "style_at_file: found 1 for 0 style_at"),
        ({"style_id": "", "style_at": "1=night"}, "style, style_id: found neither"),
        ({"mask": ["a.png", "b.png"]}, f"mask: {TEXT} mask=@FILE"),
        ({"strength_map": "0.5"}, f"strength_map: {TEXT} strength_map=@FILE"),
        ({"style_at": "1", "style_at_file": "a.png"}, f"style_at_file: {TEXT} style_at_file=@FILE"),
        ({"style_at": FIRST}, "style_at: found a file; allowed: a value, which curl sends by"),
    ],
)
def test_fields_that_are_none(
    client: httpx.Client, video: Path, fields: dict[str, Any], said: str
) -> None:
    answer = send(client, video, **fields)
    assert answer.status_code == 422, answer.text
    assert one_line(answer).startswith(said)


LARGE = encoded(np.zeros((600, 600), np.uint8))  # of pixels, and small as a file
BESIDE = "style_at: found styles at times beside "


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"mask": b"no picture"}, "mask 1: found "),
        ({"mask": LARGE}, "mask 1: found 600 x 600 pixels"),
        ({"strength_map": b"no picture"}, "strength_map: found "),
        ({"strength_map": LARGE}, "strength_map: found 600 x 600 pixels"),
        ({"style_at": "1", "style_at_file": b"no picture"}, "style_at 1: found "),
        ({"style_at": "1:30", "style_at_file": LARGE}, "style_at 90: found 600 x 600 pixels"),
        ({"style_at": "1=nothing"}, "style_at: found 'nothing'; allowed: an id that has not"),
        ({"style_at": "1=night", "mask": FIRST}, f"{BESIDE}masks; allowed: a strength"),
        ({"style_at": "1=night", "colours": "matched"}, f"{BESIDE}colours 'matched'; allowed: "),
    ],
)
def test_what_cannot_be_used_is_no_job(
    server: Demo, client: httpx.Client, video: Path, fields: dict[str, Any], said: str
) -> None:
    held = server.number("adain_video_bytes")
    answer = send(client, video, **fields)
    assert answer.status_code == 400, answer.text
    assert one_line(answer).startswith(said)
    assert server.number("adain_video_bytes") == held
    assert server.number("adain_video_queue_length") == 0


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"mask": bytes(110_000)}, "mask 1: found 110,000 bytes; allowed: 100,000"),
        ({"strength_map": bytes(110_000)}, "strength_map: found 110,000 bytes"),
        ({"style_at": "1", "style_at_file": bytes(110_000)}, "style_at 1: found 110,000 bytes"),
    ],
)
def test_each_file_is_an_upload(
    client: httpx.Client, video: Path, fields: dict[str, Any], said: str
) -> None:
    answer = send(client, video, **fields)
    assert answer.status_code == 413, answer.text
    assert one_line(answer).startswith(said)


def padded(data: bytes, size: int) -> bytes:
    """A PNG of so many bytes, of which a chunk that nobody reads makes up what is missing."""
    kind, end = b"adAn", data[-12:]
    text = bytes(size - len(data) - 12)
    crc = zlib.crc32(kind + text).to_bytes(4, "big")
    return data[:-12] + len(text).to_bytes(4, "big") + kind + text + crc + end


def test_files_beside_the_video_have_their_own_limit(client: httpx.Client, video: Path) -> None:
    """Four times --max-upload, however small the video is."""
    mask = padded(FIRST, 90_000)
    given = {"style_id": ["night"] * 5, "mask": [mask] * 5}
    answer = send(client, video, **given)
    assert answer.status_code == 413, answer.text
    assert one_line(answer) == "the files beside content: found 450,000 bytes; allowed: 400,000"
    given = {"style_id": ["night"] * 4, "mask": [mask] * 4}
    assert end_of(client, job_of(send(client, video, **given)))["state"] == "done"


def test_the_video_has_its_own_limit(client: httpx.Client, video: Path) -> None:
    """--max-video, though the body may be larger."""
    data, free = video.read_bytes(), 8
    for size, status in ((400_000, 202), (400_001, 413)):
        room = size - len(data)
        assert room > free
        answer = send(client, data + room.to_bytes(4, "big") + b"free" + bytes(room - free))
        assert answer.status_code == status, answer.text
        if status == 202:
            assert end_of(client, job_of(answer))["state"] == "done"
    assert one_line(answer) == "content: found 400,001 bytes; allowed: 400,000"


def test_an_encoded_style_has_neither_size_nor_colours(client: httpx.Client, video: Path) -> None:
    name = client.post("/v1/styles", files={"file": ("a.png", SECOND)}).json()["id"]
    brushed = send(client, video, style_at=f"1={name}", brush=1.5)
    matched = send(client, video, style_id=name, colours="matched")
    assert brushed.status_code == matched.status_code == 400
    assert one_line(brushed).startswith(f"style_at: found '{name}', a style that is encoded")
    assert one_line(matched).startswith("style: found a Style with colours 'matched'; allowed: ")


def sent_in_this_process(
    folder: Path, video: Path, styles: StyleStore | None = None, **fields: Any
) -> httpx.Response:
    """The answer of a service in this process, whose ``folder`` of videos is empty after it."""
    engine = Engine(Settings(), "cpu")
    folder.mkdir()
    videos = Videos(engine, folder)
    rest = routes.build(engine, Metrics(engine, videos), videos, styles)

    class Client(httpx.AsyncClient):
        def post(self, *given: Any, **named: Any) -> Any:
            return asyncio.run(super().post(*given, **named))

    try:
        transport = httpx.ASGITransport(rest, raise_app_exceptions=False)
        answer: Any = send(Client(transport=transport, base_url="http://here"), video, **fields)
        assert list(folder.iterdir()) == []
        return answer
    finally:
        videos.close()
        engine.close()


def test_masks_are_for_frames_that_fit_the_memory(tmp_path: Path) -> None:
    video = encode(tmp_path / "a.mp4", [drawn(n, 1200, 1000) for n in range(2)])
    answer = sent_in_this_process(tmp_path / "jobs", video, mask=picture())
    assert answer.status_code == 400
    found = "content: found 1,200 x 1,000 pixels with masks; allowed: at most 1,048,576 pixels"
    assert one_line(answer) == f"{found}, such as with a max_side of 1121"


@pytest.mark.parametrize("field", ["style_id", "style_at"])
def test_a_style_of_another_model_is_told_at_once(tmp_path: Path, video: Path, field: str) -> None:
    styles = StyleStore(60)
    name, _ = styles.add(Style(np.ones(8, np.float32), "other", "weights"))
    given = name if field == "style_id" else f"1={name}"
    answer = sent_in_this_process(tmp_path / "jobs", video, styles, **{field: given})
    assert answer.status_code == 400
    assert one_line(answer).startswith("style: found one encoded by model 'other'; allowed: a ")


def test_a_device_that_fails_at_a_mask_is_the_servers_fault(
    tmp_path: Path, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode = Engine.picture

    def broken(self: Engine, source: Any, max_side: int | None = None) -> Any:
        if source == FIRST:
            raise DeviceError("the decoder process ended with status 1")
        return decode(self, source, max_side)

    monkeypatch.setattr(Engine, "picture", broken)
    answer = sent_in_this_process(tmp_path / "jobs", video, mask=FIRST)
    assert answer.status_code == 500
    assert one_line(answer) == "the server failed: the decoder process ended with status 1"
