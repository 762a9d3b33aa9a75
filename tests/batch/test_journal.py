"""What counts as done: the same recipe, the same bytes, and the whole result."""

import os
from pathlib import Path

import numpy as np
import pytest
from helpers import error_of

from adain.batch.journal import NAME, Journal, read_source, recipe_digest

RESULT = Path("deep/a.png")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"a photo")
    return path


@pytest.fixture
def journal(tmp_path: Path, source: Path) -> Journal:
    (tmp_path / "out" / "deep").mkdir(parents=True)
    (tmp_path / "out" / RESULT).write_bytes(b"a picture")
    journal = Journal(tmp_path / "out")
    journal.record(RESULT, read_source(source)[0], "recipe")
    return journal


def test_what_was_recorded_is_done_for_the_next_process_too(journal, source, tmp_path):
    assert journal.is_done(RESULT, source, "recipe")
    journal.close()
    assert Journal(tmp_path / "out").is_done(RESULT, source, "recipe")


def test_another_recipe_or_name_is_not_done(journal, source):
    assert not journal.is_done(RESULT, source, "another")
    assert not journal.is_done(Path("a.png"), source, "recipe")


def test_a_truncated_or_missing_result_is_not_done(journal, source, tmp_path):
    result = tmp_path / "out" / RESULT
    os.truncate(result, 4)
    assert not journal.is_done(RESULT, source, "recipe")
    result.unlink()
    assert not journal.is_done(RESULT, source, "recipe")


def test_content_decides_and_not_the_time(journal, source):
    os.utime(source, (1, 1))
    assert journal.is_done(RESULT, source, "recipe")
    source.write_bytes(b"another")
    os.utime(source, (2, 2))
    assert not journal.is_done(RESULT, source, "recipe")
    source.unlink()
    assert not journal.is_done(RESULT, source, "recipe")


def test_a_source_that_changes_before_its_result_is_written_is_not_done(journal, source):
    read = read_source(source)[0]
    source.write_bytes(b"a phot0")
    os.utime(source, (3, 3))
    journal.record(RESULT, read, "recipe")
    assert not journal.is_done(RESULT, source, "recipe")


def test_recipes_differ_by_any_number():
    vector = np.arange(5, dtype=np.float32)
    about = {"alpha": 1.0, "styles": [vector], "masks": None}
    assert recipe_digest(about) == recipe_digest(about | {"styles": [vector.copy()]})
    assert recipe_digest(about) != recipe_digest(about | {"styles": [vector + 1]})
    assert recipe_digest(about) != recipe_digest(about | {"alpha": 0.5})


def test_a_damaged_journal_is_named(tmp_path):
    (tmp_path / NAME).write_bytes(b"no database" * 1000)
    assert f"{NAME}: found a journal that cannot be used" in error_of(lambda: Journal(tmp_path))
