"""Temporary folders on a real disk, whatever interrupts the work in them."""

import os
from pathlib import Path

import pytest
from helpers import error_of

from adain.files import scratch_folder


def test_it_is_gone_with_all_that_is_in_it(tmp_path: Path) -> None:
    with scratch_folder(tmp_path, ".scratch-") as folder:
        assert folder.parent == tmp_path and folder.name.startswith(".scratch-")
        (folder / "below").mkdir()
        (folder / "below" / "file").write_bytes(b"half")
    assert not list(tmp_path.iterdir())


def test_a_signal_that_comes_as_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(path: str, mode: int = 0o777) -> None:
        made(path, mode)
        raise KeyboardInterrupt

    made = os.mkdir
    monkeypatch.setattr(os, "mkdir", interrupted)
    with pytest.raises(KeyboardInterrupt), scratch_folder(tmp_path, ".scratch-"):
        raise AssertionError("begun all the same")
    assert not list(tmp_path.iterdir())


def test_a_place_where_none_can_be_made(tmp_path: Path) -> None:
    def use(parent: Path) -> None:
        with scratch_folder(parent, ".scratch-"):
            pass

    said = error_of(lambda: use(tmp_path / "nothing"))
    assert f"{tmp_path / 'nothing'}: found a folder that cannot be written to" in said
    (tmp_path / "file").write_bytes(b"")
    assert "allowed: a writable folder" in error_of(lambda: use(tmp_path / "file"))
