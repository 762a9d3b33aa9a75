"""Pieces that are there whole or not at all, for one recipe and one run at a time."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import error_of

from adain.video.resuming.progress import Progress, forget, progress_file

RECIPE = {"alpha": "1", "styles": "2"}


def test_a_piece_and_its_state(tmp_path):
    output = tmp_path / "out.mp4"
    progress = Progress(output, RECIPE)
    progress.add(1, b"one", {"pts": 4})
    progress.add(1, b"more")
    progress.finish_piece(1, {"shown": np.arange(3), "nothing": None})
    progress.add(2, b"of no piece")
    progress.close()
    again = Progress(output, RECIPE)
    assert again.frames == 1
    assert [*again.parts(1)] == [({"pts": 4}, b"one"), ({}, b"more")] and not [*again.parts(2)]
    assert np.array_equal(again.state()["shown"], np.arange(3)) and len(again.state()) == 1
    again.close()
    forget(output)
    assert list(tmp_path.iterdir()) == []


def test_without_a_piece_nothing_is_left(tmp_path):
    progress = Progress(tmp_path / "out.mp4", RECIPE)
    progress.add(1, b"one")
    progress.close()
    assert list(tmp_path.iterdir()) == []


def test_a_run_at_a_time(tmp_path):
    output = tmp_path / "out.mp4"
    progress = Progress(output, RECIPE)
    message = error_of(lambda: Progress(output, RECIPE))
    assert "progress that cannot be used" in message and "locked" in message
    progress.finish_piece(1, {})
    # As at the end of a run without --resume, whose output is the same.
    forget(output)
    progress.close()
    again = Progress(output, RECIPE)
    assert again.frames == 1
    again.close()


def test_what_is_no_progress_goes_as_well(tmp_path):
    output = tmp_path / "out.mp4"
    for data in (b"", b"no database, but as long as the head of one" * 99):
        progress_file(output).write_bytes(data)
        forget(output)
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("pieces", [0, 1])
def test_killed_it_is_whole_and_its_temporary_file_goes(tmp_path, pieces):
    """A process that ends without a word, in the midst of a piece larger than SQLite's cache."""
    output = tmp_path / "out.mp4"
    (tmp_path / "left.tmp").write_text("part of a file")
    code = f"""
import os, pathlib
from adain.video.resuming.progress import Progress
progress = Progress(pathlib.Path({str(output)!r}), {RECIPE})
progress.replace_temporary(pathlib.Path({str(tmp_path / "left.tmp")!r}))
for piece in range({pieces}):
    progress.add(1, b"one")
    progress.finish_piece(1, {{}})
for number in range(40):
    progress.add(2, bytes(1 << 18))
os.kill(os.getpid(), 9)
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, check=False)
    assert done.returncode == -9 and progress_file(output).is_file()
    # Where no piece was finished, another recipe may begin.
    progress = Progress(output, RECIPE if pieces else {"alpha": "3"})
    assert progress.frames == pieces and not [*progress.parts(2)]
    progress.replace_temporary(tmp_path / "new.tmp")
    progress.close()
    assert not (tmp_path / "left.tmp").exists()
    forget(output)
    assert list(tmp_path.iterdir()) == []
