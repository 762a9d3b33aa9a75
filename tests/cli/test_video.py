"""``adain video`` as a user meets it: a process, its streams, its exit status, its files."""

import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time
import zlib

import numpy as np
import pytest
from helpers import distance
from PIL import Image
from video_files import decoded, drawn, encode

from adain.drawings.catalog import file_of

COMMAND = [sys.executable, "-m", "adain", "video"]
STEADY = ("--steady", "0.5", "--stylize-every", "2")
ARGUMENTS = ("film.mp4", "style.png", "-o", "out.mp4", "--device", "cpu")


@pytest.fixture
def folder(tmp_path, painting):
    encode(tmp_path / "film.mp4", [drawn(number) for number in range(10)], sound=True)
    Image.fromarray(painting).save(tmp_path / "style.png")
    Image.fromarray(painting // 3).save(tmp_path / "other.png")
    return tmp_path


@pytest.fixture
def run(folder):
    def run(*arguments, env=None):
        return subprocess.run(
            [*COMMAND, *arguments],
            capture_output=True,
            text=True,
            cwd=folder,
            env=os.environ | (env or {}),
            timeout=300,
        )

    return run


def test_a_video(run, folder):
    done = run(*ARGUMENTS, "--style-at", "0:00.2=other.png", "--crf", "30", *STEADY)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("out.mp4: 64 x 48, 10 frames, model fast on cpu, ")
    assert decoded(folder / "out.mp4")[0] == decoded(folder / "film.mp4")[0]


def test_styles_by_name_and_from_files(run, folder, stylizer, painting):
    stylizer.encode_style(painting).save(folder / "own.style")
    arguments = (*ARGUMENTS[:1], "own.style", *ARGUMENTS[2:], "--style-at", "0.2=great-wave")
    done = run(*arguments, "-o", "out.mkv", "--steady", "0", "--codec", "ffv1")
    assert (done.returncode, done.stderr) == (0, "")
    first, *_, last = decoded(folder / "out.mkv")[1]
    seen = decoded(folder / "film.mp4")[1]
    for found, frame, style in ((first, seen[0], painting), (last, seen[9], file_of("great-wave"))):
        assert distance(found, stylizer.stylize(frame, style)) < 0.05
    assert "no-such-wave: found" in run(ARGUMENTS[0], "no-such-wave", *ARGUMENTS[2:]).stderr


def test_notes_go_to_stderr(run, folder):
    done = run(*ARGUMENTS[:3], "out.webm", "--end", "0.1")
    assert done.returncode == 0
    assert done.stderr == "Note: audio in aac is left out: webm takes none\n"


def test_interrupted_it_keeps_what_there_is(folder):
    """SIGINT after the first frames: the file has its name, plays and is shorter."""
    encode(folder / "film.mp4", [drawn(n, 320, 240) for n in range(400)])
    # Progress is shown on a terminal alone; here the temporary file tells that work has begun.
    process = subprocess.Popen(
        [*COMMAND, *ARGUMENTS], cwd=folder, stdout=subprocess.PIPE, text=True
    )
    while process.poll() is None and not list(folder.glob(".*.tmp")):
        time.sleep(0.01)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 130 and said.rstrip().endswith("interrupted: the part so far")
    assert 0 < len(decoded(folder / "out.mp4")[0]) < 400
    assert not list(folder.glob(".*"))


def test_killed_it_goes_on_where_it_was(run, folder):
    """SIGKILL after the first piece: the pictures are those of a run that nothing ended."""
    source = encode(
        folder / "film.mkv", [drawn(n, 96, 64) for n in range(250)], codec="ffv1", form="bgr0"
    )
    arguments = [source.name, "style.png", "-o", "out.mkv", "--codec", "ffv1", "--device", "cpu"]
    assert run(*arguments).returncode == 0
    times, expected = decoded(folder / "out.mkv")
    (folder / "out.mkv").unlink()
    # On a terminal it tells how many frames there are; a piece is 100.
    terminal, other_end = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    process = subprocess.Popen([*COMMAND, *arguments, "--resume"], cwd=folder, stderr=other_end)
    os.close(other_end)  # so that what is read ends with the process
    said = ""
    while not re.search(r"\b[12]\d\d/250 ", said):
        said += os.read(terminal, 1000).decode()
    process.kill()
    assert process.wait(timeout=300) == -signal.SIGKILL and not (folder / "out.mkv").exists()
    other = run(*arguments, "--resume", "--alpha", "0.5")
    assert other.returncode == 2 and other.stderr.count("\n") == 1
    assert "out.mkv: found an unfinished run with other values of alpha; allowed: " in other.stderr
    done = run(*arguments, "--resume")
    assert done.returncode == 0 and "00 of them by an earlier run" in done.stdout
    found = decoded(folder / "out.mkv")
    assert found[0] == times and all(map(np.array_equal, found[1], expected))
    assert not list(folder.glob(".*"))


MISTAKES = {
    "no such video": (("no.mp4", "style.png", "-o", "out.mp4"), "no.mp4: found "),
    "a text": (("notes.mp4", "style.png", "-o", "out.mp4"), "notes.mp4: found no video"),
    "no frame": (("zero.png", "style.png", "-o", "out.mp4"), "zero.png: found "),
    "style missing": (("film.mp4", "no.png", "-o", "out.mp4"), "no.png: found "),
    "unknown suffix": (("film.mp4", "style.png", "-o", "out.xyz"), "out.xyz: found ", ".mp4"),
    "output is the video": (("film.mp4", "style.png", "-o", "film.mp4"), "one of the inputs"),
    "steady above 1": ((*ARGUMENTS, "--steady", "2"), "steady: found 2.0; allowed: "),
    "whole frames alone": (
        (*ARGUMENTS, "--steady", "0", "--stylize-every", "2"),
        "stylize_every: ",
    ),
    "end before start": ((*ARGUMENTS, "--start", "2", "--end", "1"), "end: found 1 s; allowed: "),
    "a time of letters": ((*ARGUMENTS, "--start", "soon"), "--start: found 'soon'; allowed: "),
    "style at no time": ((*ARGUMENTS, "--style-at", "style.png"), "--style-at: found 'style.png'"),
    "two styles at a time": (
        (*ARGUMENTS, "--style-at", "60=style.png", "--style-at", "1:00=other.png"),
        "--style-at: found two styles at 60 s; allowed: one for each time",
    ),
    "style at beside masks": (
        (*ARGUMENTS, "--style-at", "1=other.png", "--mask", "style.png"),
        "style_at: found styles at times beside masks; allowed: ",
    ),
    "style at missing": ((*ARGUMENTS, "--style-at", "1=no.png"), "no.png: found "),
    "no frame rate": ((*ARGUMENTS, "--fps", "0"), "fps: found 0.0; allowed: "),
    "no codec": ((*ARGUMENTS, "--codec", "h999"), "codec: found 'h999'; allowed: "),
    "no crf": ((*ARGUMENTS, "--crf", "99"), "crf: found 99; allowed: "),
    "alpha above 1": ((*ARGUMENTS, "--alpha", "2"), "alpha: found 2.0; allowed: "),
    "one mask for two": (
        ("film.mp4", "style.png", "other.png", "-o", "out.mp4", "--mask", "style.png"),
        "masks: found 1 for 2 styles",
    ),
    "a pattern without a number": (("film.mp4", "style.png", "-o", "%.png"), "%.png: found "),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake(run, folder, mistake):
    (folder / "notes.mp4").write_text("not a video")
    png = (folder / "style.png").read_bytes()
    control = b"acTL" + bytes(8)
    control = b"\0\0\0\x08" + control + zlib.crc32(control).to_bytes(4, "big")
    (folder / "zero.png").write_bytes(png[:33] + control + png[-12:])
    arguments, *words = MISTAKES[mistake]
    before = sorted(folder.iterdir())
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1, done.stderr
    assert not [word for word in words if word not in done.stderr], done.stderr
    assert sorted(folder.iterdir()) == before


def test_without_the_extra(run, folder):
    (folder / "none").mkdir()
    (folder / "none" / "av.py").write_text("raise ImportError('not in this environment')\n")
    paths = os.pathsep.join([str(folder / "none"), os.environ.get("PYTHONPATH", os.getcwd())])
    done = run(*ARGUMENTS, env={"PYTHONPATH": paths})
    assert done.returncode == 2 and "pip install 'adain[video]'" in done.stderr
    assert not (folder / "out.mp4").exists()
