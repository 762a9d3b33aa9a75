"""Which pictures are found, lazily, and that no two results have one name."""

import itertools
import os
from pathlib import Path

import pytest
from helpers import error_of

from adain.batch.listing import check_formats, is_many, jobs


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    names = ("a.jpg", "a.png", "b.PNG", "c.heic", "deep/a.jpg", "deep/er/d.tif", "notes.txt")
    for name in (*names, ".hidden.jpg", ".cache/e.jpg", "out/a.jpg", "c.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "deep" / "up").symlink_to(tmp_path, target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def results(content: str, format: str | None = None, lines: object = ()) -> dict[str, str]:
    found = list(jobs(content, Path("out"), format, lines))
    assert len({job.result for job in found}) == len(found)
    return {job.source.as_posix(): job.result.as_posix() for job in found}


def test_a_folder_gives_its_tree(tree):
    assert results(".") == {
        "a.jpg": "a.jpg",
        "a.png": "a.png",
        "b.PNG": "b.PNG",
        "c.heic": "c.heic.png",
        "c.png": "c.png",
        "deep/a.jpg": "deep/a.jpg",
        "deep/er/d.tif": "deep/er/d.tif",
    }
    assert results("deep", "jpg") == {"deep/a.jpg": "a.jpg", "deep/er/d.tif": "er/d.jpg"}


def test_a_pattern_gives_the_tree_below_its_fixed_part(tree):
    (tree / "deep" / "up").unlink()
    assert results("deep/**/*.tif") == {"deep/er/d.tif": "er/d.tif"}
    assert results(str(tree / "*.jpg")) == {str(tree / "a.jpg"): "a.jpg"}
    assert results("deep/a.jpg") == {"deep/a.jpg": "a.jpg"}


def test_results_are_no_contents(tree):
    """Of a pattern that matches those of the run before, or of this one, as of a folder."""
    (tree / "deep" / "up").unlink()
    expected = {"a.jpg": "a.jpg", "deep/a.jpg": "deep/a.jpg"}
    assert results("**/*.jpg") == expected
    lazily = jobs(str(tree / "**" / "*.jpg"), tree / "new", None, ())
    for count, job in enumerate(lazily):
        target = tree / "new" / job.result
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"")
        assert count < 9
    # Beside the pictures themselves only the pattern can tell.
    assert {job.result.name for job in jobs("deep/*.jpg", tree / "deep", "png", ())} == {"a.png"}


def test_a_list_keeps_the_folders_of_its_paths(tree):
    lines = ["a.jpg\n", "./deep/a.jpg\r\n", "\n", str(tree / "a.jpg"), "notes.txt"]
    below = (tree / "a.jpg").relative_to(tree.anchor).as_posix()
    assert results("-", lines=lines) == {
        "a.jpg": "a.jpg",
        "deep/a.jpg": "deep/a.jpg",
        str(tree / "a.jpg"): below,
        "notes.txt": "notes.txt.png",
    }
    assert results("-", lines=["../a.jpg"])["../a.jpg"].endswith(f"{tree.parent.name}/a.jpg")


def test_no_two_results_have_one_name(tmp_path):
    suffixes = (".jpg", ".png", ".webp", ".jpg.png", ".webp.png", ".webp.png.png", ".JPG", "")
    suffixes += (".Jpg", ".Heic", ".Gif")
    for stem, suffix in itertools.product(("a", "b.jpg"), suffixes):
        (tmp_path / f"{stem}{suffix}").write_bytes(b"")
    for format in (None, "png", "jpg"):
        found = list(jobs(str(tmp_path), tmp_path / "out", format, ()))
        assert len({job.result for job in found}) == len(found) == 21


def test_nothing_is_held(tree):
    endless = (f"{number}.jpg" for number in itertools.count())
    assert [job.result.name for job in itertools.islice(jobs("-", Path("o"), None, endless), 2)]
    assert next(endless) == "2.jpg"


@pytest.mark.parametrize(
    ("content", "output", "many"),
    [
        ("-", "out", True),
        (".", "out.png", True),
        ("*.jpg", "out", True),
        ("a.jpg", "out/", True),
        ("a.jpg", "out.png", False),
        ("a[1].jpg", "out.png", False),
        ("no.jpg", "out.png", False),
    ],
)
def test_what_stands_for_many(tree, content, output, many):
    (tree / "a[1].jpg").write_bytes(b"")
    assert is_many(content, output) == many
    assert os.sep != "\\" or is_many(content, "out\\")


def test_formats():
    check_formats("jpg")
    assert error_of(lambda: check_formats("gif")).startswith("--format: found 'gif'; allowed: jpg")
