"""The benchmark of many files, on a few: nothing is lost or done twice."""

import pytest

from adain.cli.run import run
from benchmarks.folder_plan import folder_plan


def test_an_end_half_way_and_going_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder_plan, ["--count", "40", "--each", "7"]) == 0
    table = capsys.readouterr().out.strip().splitlines()[-5:]
    steps = [[cell.strip() for cell in row.strip("|").split("|")] for row in table]
    listed, ended, gone_on, again = (step[:4] for step in steps[1:])
    assert listed == ["listed", "40", "0", "0"] and ended == ["ended", "20", "20", "0"]
    # What was under way at the end is finished as well.
    skipped = int(gone_on[3])
    assert 20 <= skipped <= 40 and gone_on[:3] == ["gone on", "40", str(40 - skipped)]
    assert again == ["again", "40", "0", "40"]
    assert all(float(step[4]) > 0 for step in steps[1:])
