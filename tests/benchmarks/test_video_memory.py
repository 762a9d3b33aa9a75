"""Resident memory of a process, read as it goes; and a film through `adain video`."""

import sys

import click
import pytest
from video_files import av as _av  # noqa: F401  (skips without the extra `video`)

from benchmarks.video_memory import main, readings, spread

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_memory_that_a_process_takes():
    held = "import time; time.sleep(0.3); held = b'1' * 100_000_000; time.sleep(0.7)"
    found = [memory for _, memory in readings([sys.executable, "-c", held], 0.05)]
    assert 100 < max(found) - min(found[1:3]) < 150
    with pytest.raises(click.ClickException, match="exit status 3"):
        readings([sys.executable, "-c", "raise SystemExit(3)"], 0.05)


def test_a_few_readings_with_the_most_so_far():
    rows = spread([(float(n), float(n % 50)) for n in range(100)])
    assert len(rows) == 10
    assert rows[0] == ("9", "9", "9") and rows[-1] == ("99", "49", "49")
    assert rows[5] == ("59", "9", "49")


def test_a_film(capfd):
    arguments = ["--minutes", "0.01", "--width", "64", "--height", "48", "--", "--device", "cpu"]
    main(arguments, standalone_mode=False)
    last = capfd.readouterr().out.splitlines()[-1]
    assert last == "25 frames of 64 x 48 (--device cpu); sound and times equal"
