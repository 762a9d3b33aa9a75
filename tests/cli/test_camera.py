"""``adain camera`` with a file as the camera: into a video, a window, and without either."""

import os
import shutil
import signal
import subprocess
import sys

import pytest
from PIL import Image
from video_files import decoded, drawn, encode

COMMAND = [sys.executable, "-m", "adain", "camera", "style.png", "--device", "cpu"]
PLAIN = {key: value for key, value in os.environ.items() if key != "DISPLAY"}


@pytest.fixture
def folder(tmp_path, painting):
    encode(tmp_path / "film.mp4", [drawn(number, 96, 64) for number in range(25)])
    Image.fromarray(painting).save(tmp_path / "style.png")
    return tmp_path


@pytest.fixture
def run(folder):
    def run(*arguments, env=PLAIN):
        return subprocess.run(
            [*COMMAND, *arguments], capture_output=True, text=True, cwd=folder, env=env, timeout=300
        )

    return run


def test_into_a_video(run, folder):
    done = run("--source", "film.mp4", "-o", "out.mp4", "--max-side", "48")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("film.mp4: ") and " ms behind" in done.stdout
    times, frames = decoded(folder / "out.mp4")
    assert f" {len(times)} frames of 25, model fast on cpu" in done.stdout
    assert times[0] == 0 and frames[0].shape == (32, 48, 3)
    assert not list(folder.glob(".*"))


def test_interrupted_what_is_written_plays(folder):
    encode(folder / "film.mp4", [drawn(number) for number in range(300)])
    arguments = ["--source", "film.mp4", "-o", "out.mp4"]
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder,
        env=PLAIN,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    # A second after the first frame it says how fast it is; the film lasts twelve.
    reported = ""
    while "behind" not in reported:
        reported += process.stderr.read(1) or pytest.fail(f"it ended: {reported}")
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0 and said.startswith("film.mp4: ")
    assert 0 < len(decoded(folder / "out.mp4")[0]) < 300


@pytest.mark.parametrize("kind", ["cut off", "another size"])
def test_of_a_broken_file_nothing_is_written(run, folder, kind):
    if kind == "cut off":
        data = (folder / "film.mp4").read_bytes()
        (folder / "broken.mp4").write_bytes(data[: len(data) * 9 // 10])
    else:
        parts = [encode(folder / "a.ts", [drawn(n) for n in range(9)])]
        parts += [encode(folder / "b.ts", [drawn(n, 96) for n in range(9)])]
        (folder / "broken.mp4").write_bytes(b"".join(part.read_bytes() for part in parts))
    before = sorted(folder.iterdir())
    done = run("--source", "broken.mp4", "-o", "out.mp4")
    assert done.returncode == 2 and done.stderr.splitlines()[-1].startswith("Error: broken.mp4: ")
    assert sorted(folder.iterdir()) == before


@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="no Xvfb on this machine")
def test_in_a_window(run):
    pytest.importorskip("tkinter")
    read, write = os.pipe()
    with subprocess.Popen(["Xvfb", "-displayfd", str(write)], pass_fds=[write]) as server:
        try:
            display = os.read(read, 20).decode().strip()
            done = run("--source", "film.mp4", env=PLAIN | {"DISPLAY": f":{display}"})
        finally:
            server.terminate()
    assert done.returncode == 0 and done.stdout.startswith("film.mp4: "), done.stderr


MISTAKES = {
    "no window": (["--source", "film.mp4"], "window: found "),
    "no camera": (["--source", "97", "-o", "out.mp4"], "camera 97: found no picture"),
    "no video": (["--source", "style.txt", "-o", "out.mp4"], "style.txt: found "),
    "no virtual camera": (["--source", "film.mp4", "--virtual"], "virtual camera"),
    "size of a file": (["--source", "film.mp4", "--size", "64x48"], "--size and --fps: found "),
    "no size": (["--size", "64"], "--size: found '64'"),
    "steady above 1": (["--steady", "2"], "steady: found 2.0"),
    "no folder": (["--source", "film.mp4", "-o", "no/out.mp4"], "no/out.mp4: found "),
    "no suffix": (["--source", "film.mp4", "-o", "out"], "out: found no name of a video file"),
    "a text": (["--source", "film.mp4", "-o", "out.txt"], "out.txt: found no name of a video"),
    "frames": (["--source", "film.mp4", "-o", "%03d.png"], "%03d.png: found no name of a video"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake(run, folder, mistake):
    if mistake == "no virtual camera" and os.path.exists("/dev/video0"):
        pytest.skip("there may be one")
    arguments, words = MISTAKES[mistake]
    before = sorted(folder.iterdir())
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "") and words in done.stderr, done.stderr
    assert done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1
    assert sorted(folder.iterdir()) == before
