"""Object stores by their URLs, with the one that fsspec keeps in memory and the one on disk."""

import builtins
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import error_of
from PIL import Image

from adain.batch.journal import NAME, StoredJournal, open_journal
from adain.batch.listing import jobs
from adain.batch.pipeline import Look, Pipeline, Settings
from adain.batch.stores import is_stored, place, write
from adain.errors import MissingError
from adain.images import Picture, encode_image

UPath = pytest.importorskip("upath", reason="universal-pathlib is not installed").UPath


@pytest.fixture(params=["memory", "file"])
def bucket(request, tmp_path: Path) -> str:
    """A URL below which lie five files, of which two are pictures to read."""
    url = "memory://bucket/photos" if request.param == "memory" else (tmp_path / "in").as_uri()
    picture = encode_image(Picture(np.full((4, 6, 3), 0.2, np.float32)), ".png")
    base = place(url)
    if base.exists():
        base.fs.rm(base.path, recursive=True)
    for name in ("a.png", "deep/b.png", "deep/notes.txt", ".hidden/c.png", "out/old.png"):
        write(base / name, picture)
    return url


def made(url: str, journal: StoredJournal, skip: bool = True) -> list[tuple[str, str]]:
    output = place(f"{url}/out")
    look = Look(Path(), "recipe", lambda _, picture: Picture(1 - picture.rgb))
    settings = Settings(output, 95, None, skip)
    pipeline = Pipeline(jobs(url, output, None, ()), [look], journal, settings, 1)
    return sorted((outcome.kind, str(outcome.result)) for outcome in pipeline.run())


def test_a_bucket_is_stylized_and_gone_on_with(bucket, tmp_path):
    output = place(f"{bucket}/out")
    journal = open_journal(output)
    assert isinstance(journal, StoredJournal)
    assert made(bucket, journal) == [("done", "a.png"), ("done", "deep/b.png")]
    journal.close()
    with (output / "deep/b.png").open("rb") as file:
        assert np.asarray(Image.open(file))[0, 0, 0] == 204
    assert (output / NAME).exists()
    journal = open_journal(output)
    # What is there of the same bytes is skipped, even where a store tells no times; not a new one.
    write(place(f"{bucket}/deep/b.png"), (output / "deep/b.png").read_bytes())
    assert made(bucket, journal) == [("done", "deep/b.png"), ("skipped", "a.png")]
    journal.close()
    names = {name for name in output.fs.find(output.path) if name.endswith(".tmp")}
    assert not names


def test_a_bucket_gets_its_journal_before_the_end(bucket):
    output = place(f"{bucket}/out")
    journal = StoredJournal(output, seconds=0)
    assert made(bucket, journal)[0] == ("done", "a.png")
    # As a killed process leaves it.
    assert made(bucket, StoredJournal(output)) == [("skipped", "a.png"), ("skipped", "deep/b.png")]
    journal.close()


def test_a_bad_object_is_named_by_its_url(bucket):
    write(place(f"{bucket}/bad.jpg"), b"no picture")
    output = place(f"{bucket}/out")
    look = Look(Path(), "recipe", lambda _, picture: picture)
    settings = Settings(output, 95, None, skip_existing=False)
    found = jobs(f"{bucket}/bad.jpg", output, None, ())
    (failed,) = Pipeline(found, [look], open_journal(output), settings, 1).run()
    assert failed.kind == "failed" and failed.result == Path("bad.jpg")
    assert failed.error.startswith(f"{bucket}/bad.jpg: found no known image format")


def test_lists_may_have_urls(bucket):
    lines = [f"{bucket}/a.png\n"]
    (job,) = jobs("-", Path("out"), None, lines)
    assert is_stored(job.source) and job.source.exists()
    assert str(job.result) == bucket.partition("://")[2].strip("/") + "/a.png"


def test_paths_are_paths():
    assert place("photos") == Path("photos") and not is_stored(place("C:/photos"))


def test_mistakes_are_told(monkeypatch):
    message = error_of(lambda: place("nosuch://bucket"))
    assert message.startswith("nosuch://bucket: found a URL that cannot be used")
    message = error_of(lambda: list(jobs("memory://nowhere", Path("out"), None, ())))
    assert message.startswith("memory://nowhere: found a place that cannot be listed")
    importing = builtins.__import__

    def lacking(name: str, *rest: object, **options: object) -> object:
        if name == "s3fs":
            raise ImportError(name)
        return importing(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", lacking)
    with pytest.raises(MissingError, match=r"s3://bucket: .*s3fs"):
        place("s3://bucket")
    monkeypatch.setitem(sys.modules, "upath", None)
    with pytest.raises(MissingError, match=r"needs fsspec: pip install 'adain\[ray\]'"):
        place("s3://bucket")
