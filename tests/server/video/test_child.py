"""A video process, and what ends it."""

from __future__ import annotations

from pathlib import Path

import pytest
from serving import PATIENCE
from video_files import drawn, encode

from adain import AdaINError
from adain.server.settings import Settings
from adain.server.video import CONTENT, child
from adain.server.video.child import Child


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = encode(tmp_path / "a.mp4", [drawn(n, 640, 480) for n in range(3)])
    path.rename(tmp_path / CONTENT)
    return tmp_path


def look(folder: Path, settings: Settings) -> dict[str, object]:
    with Child(folder, settings) as process:
        return process.look(None, whole=True)


def test_what_a_video_is_found_to_be(folder: Path) -> None:
    found = look(folder, Settings(timeout=PATIENCE))
    size = {"width": 640, "height": 480, "pixels": 640 * 480}
    assert found == size | {"frames": 3, "seconds": 0.12}


def test_memory_has_a_limit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "most_memory", lambda settings: 500_000)
    with pytest.raises(AdaINError, match="content: found a video that takes more than 0 MB"):
        look(folder, Settings(timeout=PATIENCE))


def test_one_that_says_nothing_for_long_is_ended(folder: Path) -> None:
    with pytest.raises(AdaINError, match="content: found a video that takes too long to read"):
        look(folder, Settings(timeout=0.01))  # before Python has begun
