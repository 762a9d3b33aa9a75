"""Nothing is reported to anybody: no file is left, no host looked up, unless the user wants it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# ONNX Runtime 1.32 looked its host up within ten seconds.
SECONDS = 12
FORBID = (
    "import sys\n"
    "def hook(event, arguments):\n"
    "    if event in ('socket.getaddrinfo', 'socket.connect', 'socket.gethostbyname'):\n"
    "        raise SystemExit(f'{event} {arguments}')\n"
    "sys.addaudithook(hook)\n"
)
STYLIZE = (
    "import numpy as np\nimport time\nfrom adain import Stylizer\n"
    "picture = np.zeros((32, 32, 3), np.uint8)\n"
    "Stylizer(device='cpu', threads=1).stylize(picture, picture)\n"
)
PAGE = (
    "import time\nfrom pathlib import Path\nfrom adain.demo.mount import mount\n"
    "from adain.server.engine import Engine\nfrom adain.server.settings import Settings\n"
    "mount(Engine(Settings()), Path('page'))\n"
)


def traced(code: str, home: Path, seconds: float, **variables: str) -> tuple[list[str], list[str]]:
    """The files that a program leaves in a home that was empty, and where it tried to connect."""
    folders = {"HOME": "home", "XDG_CACHE_HOME": "cache", "XDG_CONFIG_HOME": "config"}
    folders |= {"XDG_DATA_HOME": "data", "XDG_STATE_HOME": "state", "TMPDIR": "tmp"}
    kept = {name: os.environ[name] for name in ("PATH", "ADAIN_WEIGHTS") if name in os.environ}
    env = kept | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"} | variables
    for name, folder in folders.items():
        (home / folder).mkdir()
        env[name] = str(home / folder)
    command = [sys.executable, "-c", f"{FORBID}{code}time.sleep({seconds})\n"]
    trace = home / "trace"
    if shutil.which("strace"):  # else what Python itself does is all that is seen
        command = ["strace", "-f", "-qq", "-e", "trace=connect,sendto", "-o", str(trace), *command]
    done = subprocess.run(command, env=env, cwd=home, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    calls = trace.read_text().splitlines() if trace.exists() else []
    trace.unlink(missing_ok=True)
    files = [str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()]
    return files, [call for call in calls if re.search(r"AF_INET|sendto\(", call)]


@pytest.mark.slow
def test_a_stylizer_leaves_no_file_and_looks_nothing_up(tmp_path: Path) -> None:
    assert traced(STYLIZE, tmp_path, SECONDS) == ([], [])


@pytest.mark.slow
def test_the_page_leaves_no_file_and_looks_nothing_up(tmp_path: Path) -> None:
    pytest.importorskip("gradio")
    files, calls = traced(PAGE, tmp_path, SECONDS)
    own = ("page/", "cache/adain/")  # uploads, and the drawings of the gallery
    assert [file for file in files if not file.startswith(own)] == [] and calls == []


def test_a_users_own_setting_stays() -> None:
    code = "import adain, os; print(os.environ['ORT_DISABLE_TELEMETRY'], os.environ[{!r}])"
    command = [sys.executable, "-c", code.format("HF_HUB_DISABLE_TELEMETRY")]
    env = {name: value for name, value in os.environ.items() if "TELEMETRY" not in name}
    env |= {"ORT_DISABLE_TELEMETRY": "0", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "0 1\n"
