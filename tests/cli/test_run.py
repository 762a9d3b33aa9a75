"""How commands end: streams that lack characters, users without a home, SIGTERM."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest
from PIL import Image

from adain.cli.run import run

ROOT = Path(__file__).resolve().parents[2]


def stylize(folder: Path, name: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "adain", "stylize", name, name, "-o", f"out-{name}"]
    env = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, check=False)


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "cp1252:strict", "utf-8"])
@pytest.mark.parametrize("name", ["写真.png", os.fsdecode(b"caf\xe9.png")])
def test_a_report_that_cannot_be_encoded_fails_nothing(
    tmp_path: Path, encoding: str, name: str
) -> None:
    Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save(tmp_path / "photo.png")
    (tmp_path / "photo.png").rename(tmp_path / name)
    done = stylize(tmp_path, name, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b": 20 x 20, model fast on cpu" in done.stdout
    assert (tmp_path / f"out-{name}").is_file()
    # What is said of a mistake, as well.
    done = stylize(tmp_path, f"no-{name}", PYTHONIOENCODING=encoding)
    assert done.returncode == 2
    assert done.stderr.startswith(b"Error: no-") and done.stderr.count(b"\n") == 1


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="users without a home are POSIX's")
def test_a_user_without_a_home(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys\n"
        "def home(): raise RuntimeError('Could not determine home directory.')\n"
        "pathlib.Path.home = home\n"
        "os.environ.pop('XDG_CACHE_HOME', None)\n"
        "from adain import weights\n"
        "from adain.cli.main import main\n"
        "assert 'fast' in weights.available_models()\n"
        "main()\n"
    )
    Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save(tmp_path / "photo.png")
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    for arguments, status in (
        (("stylize", "photo.png", "photo.png", "-o", "out.png"), 0),
        (("models",), 0),
        (("models", "remove", "paper"), 2),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=tmp_path, env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == status, done.stderr
        assert done.stderr.count("\n") == (1 if status else 0)
    assert "XDG_CACHE_HOME: found nothing, and no home" in done.stderr
    assert (tmp_path / "out.png").is_file()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system")
def test_a_report_without_room_is_one_line() -> None:
    command = [sys.executable, "-m", "adain", "models"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, env=env, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2
    assert done.stderr == b"Error: stdout: No space left on device\n"


# Works in a temporary folder; a second signal comes while it clears up.
WORKS = """
import os, signal, sys, tempfile, time
import click
from adain.cli.run import run

@click.command()
def work():
    with tempfile.TemporaryDirectory(dir="."):
        try:
            print("begun", flush=True)
            time.sleep(600)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

sys.exit(run(work))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM for one process")
def test_sigterm_leaves_no_temporary_files(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WORKS],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "begun\n"
    assert len(list(tmp_path.iterdir())) == 1
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=600)
    assert (process.returncode, said) == (143, "terminated\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("before", [signal.SIG_DFL, signal.SIG_IGN])
def test_a_command_leaves_the_handling_of_sigterm_as_it_was(before: signal.Handlers) -> None:
    during = []

    @click.command()
    def look() -> None:
        during.append(signal.getsignal(signal.SIGTERM))

    outside = signal.signal(signal.SIGTERM, before)
    try:
        assert run(look, []) == 0
        assert signal.getsignal(signal.SIGTERM) is before
    finally:
        signal.signal(signal.SIGTERM, outside)
    # A process that ignores it goes on ignoring it.
    assert (during == [signal.SIG_IGN]) is (before is signal.SIG_IGN)
