"""The folder of uploads: what is deleted, and what lies in it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from adain.server import uploads as module
from adain.server.uploads import PREFIX, Uploads, temporary_folder


def test_old_uploads_go_and_the_rest_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def put(name: str, size: int) -> Path:
        time.sleep(0.05)  # the time of a change cannot be set, and the next is to be later
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(size))
        return path

    keep = 1000.0
    uploads = Uploads(tmp_path, keep, limit=100)
    offered = put("offered/a.png", 500)
    uploads.keep_what_is_here()
    old = put("old/a.png", 10)
    clock = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    uploads.sweep()
    young = [put(f"young{number}/a.png", 40) for number in range(2)]
    clock[0] = 500.0
    uploads.sweep()
    clock[0] = keep + 1
    uploads.sweep()
    assert not old.exists()
    assert not old.parent.exists()
    assert offered.exists() and all(path.exists() for path in young)
    last = put("last/a.png", 90)
    uploads.sweep()
    assert last.exists() and offered.exists()
    assert not any(path.exists() for path in young)


def test_a_jump_of_the_clock_ages_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    uploads = Uploads(tmp_path, 1000, limit=100)
    early = tmp_path / "early" / "a.png"
    late = tmp_path / "late" / "a.png"
    for path, jump in ((early, -1e6), (late, 1e6)):
        path.parent.mkdir()
        path.write_bytes(b"a")
        os.utime(path, (time.time() + jump,) * 2)
    uploads.sweep()
    now = 999.0
    uploads.sweep()
    os.utime(late)  # it was asked for
    uploads.sweep()
    assert early.exists() and late.exists()
    now = 1001.0
    uploads.sweep()
    assert not early.exists() and late.exists()


def test_only_what_lies_in_the_folder_is_held(tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    folder.mkdir()
    (tmp_path / "uploads-other").mkdir()
    (folder / "link").symlink_to("/etc/passwd")
    uploads = Uploads(folder, 10, 10)
    assert uploads.holds(f"{folder}/a/b.png")
    for path in (folder, f"{folder}-other/a", f"{folder}/../a", f"{folder}/link", "a", "", "\0"):
        assert not uploads.holds(str(path))


def test_small_files_are_counted_too(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"{number:02}.png").write_bytes(b"a")
    Uploads(tmp_path, 1000, limit=10_000, most=20).sweep()
    assert len(list(tmp_path.iterdir())) == 20


@pytest.mark.skipif(module.fcntl is None, reason="there are no such locks")
def test_what_a_killed_server_left_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.tempfile, "tempdir", str(tmp_path))
    left, elsewhere = tmp_path / f"{PREFIX}left", tmp_path / "other"
    for folder in (left, elsewhere):
        folder.mkdir()
        (folder / "a.png").write_bytes(b"a")
    link = tmp_path / f"{PREFIX}link"
    link.symlink_to(elsewhere)
    with temporary_folder() as running:  # younger ones are left alone: their lock is to come
        assert left.exists()
        later = time.time() + 3600
        monkeypatch.setattr(module.time, "time", lambda: later)
        with temporary_folder() as other:
            assert other != running and running.exists()
            assert not left.exists() and elsewhere.exists() and link.is_symlink()
    assert not running.exists()
