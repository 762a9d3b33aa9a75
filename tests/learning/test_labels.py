"""Names of pictures that every sheet, table, page and file system takes."""

import os
from pathlib import Path

from adain.learning.labels import LONGEST, file_name, label, labels


def test_a_label_can_be_written_anywhere() -> None:
    for name in (b"caf\xe9.png", b"a\nb\x1b[31m.png", b"x" * 250 + b".png", "写真.png".encode()):
        found = label(Path(os.fsdecode(name)))
        assert found.isprintable() and len(found) <= LONGEST
        found.encode()
    assert label(Path("写真.png")) == "写真" and label(Path("a b.c.png")) == "a b.c"


def test_names_that_meet_are_numbered() -> None:
    paths = [Path(name) for name in ("a.jpg", "a.png", "b/A.png", "b.png", "a (2).png")]
    found = labels(paths)
    assert list(found) == ["a", "a (2)", "A (3)", "b", "a (2) (2)"]
    assert list(found.values()) == paths
    assert len({file_name(name) for name in found}) == 5
    long = labels([Path(f"{'x' * 200}{number}.png") for number in range(3)])
    assert len(long) == 3
