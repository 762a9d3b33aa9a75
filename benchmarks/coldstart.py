"""The first picture: from the start of ``adain stylize`` to the end of its process."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from adain import save_image
from adain.errors import found_error
from adain.registry import DEFAULT_MODEL
from benchmarks.memory import environment
from benchmarks.pipeline import Pixels

GOAL = 1.5


def drawn(size: int) -> Pixels:
    """A picture that compresses about as well as a photo: slow colours and a little grain."""
    y, x = np.mgrid[0:size, 0:size] / size
    levels = np.stack([60 + 120 * y, 128 + 90 * np.sin(9 * x + 4 * y), 220 - 160 * x], axis=-1)
    grain = np.random.default_rng(0).normal(0, 4, levels.shape)
    pixels: Pixels = (levels + grain).clip(0, 255).astype(np.uint8)
    return pixels


def cold_starts(runs: int, size: int = 512, model: str = DEFAULT_MODEL) -> list[float]:
    """Seconds of ``runs`` processes, one after another, that each write a stylised picture.

    The file is there before its process ends, so these are upper bounds. The files of the program
    and the model have been read before (a first process warms up) and come from memory.
    """
    with tempfile.TemporaryDirectory() as folder:
        photo, style, output = (Path(folder) / f"{name}.png" for name in ("photo", "style", "out"))
        save_image(drawn(size), photo)
        save_image(255 - drawn(size).transpose(1, 0, 2), style)
        command = [sys.executable, "-m", "adain", "stylize", str(photo), str(style)]
        command += ["-o", str(output), "--model", model, "--device", "cpu"]
        times = []
        for _ in range(runs + 1):
            output.unlink(missing_ok=True)
            started = time.perf_counter()
            done = subprocess.run(command, env=environment(), capture_output=True, text=True)
            times.append(time.perf_counter() - started)
            if done.returncode != 0 or not output.is_file():
                last = (done.stderr.strip().splitlines() or ["no message"])[-1]
                raise found_error("adain stylize", f"a failure ({last})", "a written picture")
    return times[1:]
