"""Coverage-guided fuzzing of what reads files: ``python -m benchmarks.fuzz --seconds 600``.

Atheris (`adain[fuzz]`) changes files as long as that reaches new lines of `adain.images`, or of
`adain.style` with ``--target style``. A file must come to a picture, or to an AdaINError of one
printable line, without a warning, within 2 s of CPU time and the memory that a decoder process of
the service has. The first that does not is written to ``--findings`` and ends the run with status
1. Those that reached new lines are kept in ``--corpus``, to go on from.
"""

from __future__ import annotations

import importlib.util
import os
import struct
import subprocess
import sys
import tempfile
import time
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "tests" / "images" / "corpus"
WORKER = "--worker"
MAX_PIXELS = 200_000
LARGEST = 16_384  # bytes of a file
SECONDS = 2  # of CPU time
HANGS = 60  # seconds by the clock, which others' work lengthens
# As the service's decoders are granted it, beside what the process takes anyway.
MEMORY = 64 + 48 * MAX_PIXELS / 1e6  # MB


def read_image(data: bytes) -> None:
    """Read a picture, every second one to be made smaller; anything but AdaINError is a fault."""
    from adain.errors import AdaINError
    from adain.images import load_image

    try:
        picture = load_image(data, max_side=(None, 16)[len(data) % 2], max_pixels=MAX_PIXELS)
    except AdaINError as error:
        check_message(str(error))
    else:
        # False for NaN too.
        if not (picture.rgb.min() >= 0 and picture.rgb.max() <= 1):
            raise ValueError("samples outside [0, 1]")
        if picture.alpha is not None and not (picture.alpha.min() >= 0 <= 1 - picture.alpha.max()):
            raise ValueError("alpha outside [0, 1]")


def read_style(data: bytes) -> None:
    from adain.errors import AdaINError
    from adain.style import Style

    with tempfile.NamedTemporaryFile(suffix=".style") as file:
        file.write(data)
        file.flush()
        try:
            Style.load(file.name)
        except AdaINError as error:
            check_message(str(error))


TARGETS = {"image": read_image, "style": read_style}


def check_message(message: str) -> None:
    if not message.isprintable() or "Warning" in message:
        raise ValueError(f"the message {message!r}")


def watched(read: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """``read``, and an error where it took more than SECONDS or, on Linux, than MEMORY."""
    from benchmarks.processes import highest

    mark = Path("/proc/self/clear_refs")

    def reading(data: bytes) -> None:
        if mark.exists():
            mark.write_text("5", encoding="ascii")  # the peak begins anew
        before, started = highest(os.getpid()), time.process_time()
        read(data)
        seconds, memory = time.process_time() - started, highest(os.getpid()) - before
        if seconds > SECONDS:
            raise TimeoutError(f"took {seconds:.1f} s")
        if memory > MEMORY:
            raise MemoryError(f"took {memory:.0f} MB")

    return reading


def mended(data: bytes) -> bytes:
    """A PNG with right checksums, without which changes of its chunks are never looked at."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        return data
    result, start = bytearray(data), 8
    while start + 12 <= len(data):
        end = start + 8 + int.from_bytes(data[start : start + 4], "big")
        if end + 4 > len(data):
            break
        struct.pack_into(">I", result, end, zlib.crc32(data[start + 4 : end]))
        start = end + 4
    return bytes(result)


def _work(target: str, arguments: list[str]) -> None:
    """Fuzz in this process, which libFuzzer ends."""
    import atheris

    # Before anything else imports them.
    with atheris.instrument_imports(include=["adain.images", "adain.style"]):
        import adain.images
        import adain.style  # noqa: F401

    warnings.simplefilter("error")  # `load_image` prints none; as errors, its messages show them

    def mutate(data: bytes, size: int, seed: int) -> bytes:
        changed: bytes = atheris.Mutate(data, size)
        return mended(changed)[:size] if seed % 8 else changed

    options = {"custom_mutator": mutate} if target == "image" else {}
    atheris.Setup(arguments, watched(TARGETS[target]), **options)
    atheris.Fuzz()


@click.command()
@click.option("--seconds", type=click.IntRange(1), default=600, show_default=True)
@click.option("--target", type=click.Choice(list(TARGETS)), default="image", show_default=True)
@click.option("--corpus", type=click.Path(path_type=Path), help="Kept from run to run.")
@click.option("--findings", type=click.Path(path_type=Path), default=Path("findings"))
@click.argument("libfuzzer", nargs=-1)
def main(
    seconds: int, target: str, corpus: Path | None, findings: Path, libfuzzer: tuple[str, ...]
) -> int:
    """Fuzz a reader; further arguments after -- go to libFuzzer."""
    from adain.errors import MissingError

    if importlib.util.find_spec("atheris") is None:
        raise MissingError("fuzzing needs atheris: pip install 'adain[fuzz]' (Linux)")
    findings.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        corpus = corpus or Path(folder)
        corpus.mkdir(parents=True, exist_ok=True)
        # New files go into the first.
        folders = [corpus, KEPT] if target == "image" else [corpus]
        arguments = [f"-max_total_time={seconds}", f"-timeout={HANGS}", f"-max_len={LARGEST}"]
        arguments += [f"-artifact_prefix={findings}/", *libfuzzer, *map(str, folders)]
        # As a file: the package `benchmarks` imports `adain`, which is to be instrumented first.
        command = [sys.executable, "-P", __file__, WORKER, target, *arguments]
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        done = subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, check=False)
    return int(done.returncode != 0)


if __name__ == "__main__":
    if sys.argv[1:2] == [WORKER]:
        _work(sys.argv[2], sys.argv[2:])
    else:
        from adain.cli.run import run

        sys.exit(run(main))
