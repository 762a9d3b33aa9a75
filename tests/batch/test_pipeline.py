"""Pictures side by side: what fails alone, what is skipped, and how little is held."""

import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adain.batch.journal import Journal
from adain.batch.listing import Job, jobs
from adain.batch.pipeline import Look, Pipeline, Settings
from adain.errors import AdaINError
from adain.images import Picture


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    for number in range(6):
        levels = np.full((4, 5 + number, 3), 40 * number, np.uint8)
        Image.fromarray(levels).save(folder / ("deep" if number % 2 else "") / f"{number}.png")
    return folder


def inverted(_: int, picture: Picture) -> Picture:
    return Picture(1 - picture.rgb)


def pipeline(
    found: Iterator[Job], output: Path, *looks: Look, devices: int = 1, skip: bool = False
) -> Pipeline:
    output.mkdir(exist_ok=True)
    settings = Settings(output, 95, None, skip)
    chosen = looks or (Look(Path(), "inverted", inverted),)
    return Pipeline(found, chosen, Journal(output), settings, devices)


def kinds(outcomes: object) -> Counter[str]:
    return Counter(outcome.kind for outcome in outcomes)


@pytest.mark.parametrize("devices", [1, 2])
def test_all_are_made_in_the_same_tree(photos, tmp_path, devices):
    output = tmp_path / "out"
    made = pipeline(jobs(str(photos), output, None, ()), output, devices=devices).run()
    assert kinds(made) == {"done": 6}
    for source in photos.rglob("*.png"):
        result = np.asarray(Image.open(output / source.relative_to(photos)))
        assert np.array_equal(result, 255 - np.asarray(Image.open(source)))


def test_several_looks_each_in_a_folder(photos, tmp_path):
    output = tmp_path / "out"
    looks = [Look(Path(name), name, inverted) for name in ("one", "two")]
    assert kinds(pipeline(jobs(str(photos), output, None, ()), output, *looks).run()) == {
        "done": 12
    }
    assert {path.relative_to(output).parts[0] for path in output.rglob("*.png")} == {"one", "two"}


def test_what_fails_is_told_and_the_rest_goes_on(photos, tmp_path):
    (photos / "bad.png").write_bytes(b"no picture")
    (photos / "gone.png").symlink_to("nowhere")

    def work(_: int, picture: Picture) -> Picture:
        if picture.width == 7:
            raise AdaINError("memory_limit: found too little")
        return picture

    output = tmp_path / "out"
    look = Look(Path(), "some", work)
    made = list(pipeline(jobs(str(photos), output, None, ()), output, look).run())
    assert kinds(made) == {"done": 5, "failed": 3}
    errors = sorted(outcome.error for outcome in made if outcome.kind == "failed")
    assert all(str(photos) in error and "\n" not in error for error in errors)
    assert "2.png: memory_limit: found too little" in errors[0]


def test_an_unforeseen_error_ends_the_pipeline(photos, tmp_path):
    def work(_: int, picture: Picture) -> Picture:
        raise ZeroDivisionError

    output, look = tmp_path / "out", Look(Path(), "some", work)
    with pytest.raises(ZeroDivisionError):
        list(pipeline(jobs(str(photos), output, None, ()), output, look).run())


def test_what_is_done_is_skipped_after_an_interruption(photos, tmp_path):
    output = tmp_path / "out"

    def again() -> Pipeline:
        return pipeline(jobs(str(photos), output, None, ()), output, skip=True)

    outcomes = again().run()
    assert next(outcomes).kind == "done"
    outcomes.close()
    done = len(list(output.rglob("*.png")))
    assert kinds(again().run()) == Counter(done=6 - done, skipped=done)
    assert kinds(again().run()) == {"skipped": 6}
    assert not list(output.rglob("*.tmp"))
    (output / "0.png").write_bytes((output / "0.png").read_bytes()[:-1])
    Image.new("RGB", (3, 3)).save(photos / "2.png")
    assert kinds(again().run()) == {"done": 2, "skipped": 4}


def test_inputs_are_not_replaced(photos):
    before = {path: path.read_bytes() for path in photos.rglob("*.png")}
    found = iter([Job(path, path.relative_to(photos)) for path in before])
    assert kinds(pipeline(found, photos).run()) == {"failed": 6}
    assert {path: path.read_bytes() for path in photos.rglob("*.png")} == before


def test_few_pictures_are_under_way(photos, tmp_path):
    """Of an endless list, so many are taken as wait in the queues."""
    taken = itertools.count()

    def endless() -> Iterator[Job]:
        for number in taken:
            yield Job(photos / "0.png", Path(f"{number}.png"))

    outcomes = pipeline(endless(), tmp_path / "out").run()
    for _ in range(5):
        assert next(outcomes).kind == "done"
    outcomes.close()
    assert next(taken) < 2000
