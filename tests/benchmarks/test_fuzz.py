"""The readers that are fuzzed, on the corpus that fuzzing has left, and the fuzzer itself."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sample_images import drawing, encoded

from adain.errors import AdaINError
from adain.images import load_image
from adain.style import Style
from benchmarks import fuzz
from benchmarks.mutation import mutated

CORPUS = sorted(fuzz.KEPT.iterdir())


def test_the_corpus_is_small_and_reaches_pictures_and_errors() -> None:
    assert 24 <= len(CORPUS) <= 150
    assert sum(path.stat().st_size for path in CORPUS) < 60_000
    outcomes = []
    for path in CORPUS:
        try:
            load_image(path.read_bytes(), max_pixels=fuzz.MAX_PIXELS)
            outcomes.append(True)
        except AdaINError:
            outcomes.append(False)
    assert 10 < sum(outcomes) < len(outcomes) - 10


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_each_is_a_picture_or_an_error_of_one_line(
    path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    fuzz.watched(fuzz.read_image)(path.read_bytes())
    assert capfd.readouterr() == ("", "")


def test_too_much_time_and_memory_and_odd_messages_are_faults(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def greedy(data: bytes) -> None:
        assert data != b"\1" * (200 << 20)

    with pytest.raises(MemoryError, match="took 2"):
        fuzz.watched(greedy)(b"")
    monkeypatch.setattr(fuzz, "SECONDS", -1)
    with pytest.raises(TimeoutError, match="took 0"):
        fuzz.watched(len)(b"")
    for message in ("two\nlines", "UserWarning: corrupt"):
        with pytest.raises(ValueError, match="the message"):
            fuzz.check_message(message)


def test_checksums_are_mended() -> None:
    data = encoded(drawing(), "PNG")
    place = data.index(b"IDAT") + 8
    broken = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
    assert fuzz.mended(data) == data
    mended = fuzz.mended(broken)
    assert mended != broken and mended[place] == broken[place] and len(mended) == len(data)
    for start in (b"", data[:20], b"GIF89a"):
        assert fuzz.mended(start) == start


def test_damaged_styles_are_no_fault(tmp_path: Path) -> None:
    Style(np.ones(100, np.float32), "fast", "0").save(tmp_path / "a.style")
    sound = (tmp_path / "a.style").read_bytes()
    for seed in range(100):
        fuzz.read_style(mutated(sound, seed))


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="needs adain[fuzz]")
def test_fuzzing(tmp_path: Path) -> None:
    corpus, findings = tmp_path / "corpus", tmp_path / "findings"
    folders = ["--corpus", str(corpus), "--findings", str(findings)]
    command = [sys.executable, "-m", "benchmarks.fuzz", "--seconds", "5", *folders]
    done = subprocess.run(command, capture_output=True, text=True, cwd=fuzz.ROOT, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Done " in done.stderr and not list(findings.iterdir())
