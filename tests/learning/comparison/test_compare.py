import csv
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import error_of
from PIL import Image

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from adain import Stylizer, weights
from adain.images import load_image, save_image
from adain.images.picture import Picture
from adain.learning.comparison import runs as compare_runs
from adain.learning.comparison import worker as compare_worker
from adain.learning.comparison.compare import (
    CompareOptions,
    all_pairs,
    compare,
    curve_iterations,
    listed_pairs,
)
from adain.learning.comparison.page import (
    iterations_worth,
    middle,
    page_data,
    summary,
    summary_lines,
)
from adain.learning.comparison.report import write_report
from adain.learning.comparison.results import Compared
from adain.learning.comparison.runs import Runs
from adain.learning.comparison.worker import Job
from adain.learning.evaluation.metrics import Judge, Pair, sliced_wasserstein, to_tensor
from adain.learning.evaluation.sheets import GAP
from adain.learning.gatys.objective import GatysOptions
from adain.learning.gatys.run import gatys
from adain.learning.models.pretrained import load_vgg19_encoder

SIZE = 64
OPTIONS = CompareOptions(
    size=SIZE,
    models=["fast"],
    alphas=(1, 0.5),
    iterations=(3, 1),
    adain_iterations=2,
    threads=1,
)
NAMES = ["fast-0.5", "fast-1", "gatys-from-content", "gatys-from-fast"]
ODD = "100% <b> & 'co'"  # a name that HTML and file systems may trip over


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, photo: np.ndarray, painting: np.ndarray) -> Pair:
    folder = tmp_path_factory.mktemp("images")
    save_image(photo, folder / "photo.png")
    save_image(painting, folder / f"{ODD}.png")
    return Pair(folder / "photo.png", folder / f"{ODD}.png")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, pair: Pair, vgg19_weights: Path) -> Path:
    """The report of one pair, which tests must leave as it is."""
    folder = tmp_path_factory.mktemp("report") / "new"
    assert compare([pair], folder, OPTIONS) == folder / "report.html"
    return folder


def runs_of(folder: Path, **changed: Any) -> Runs:
    given = {"methods": OPTIONS.methods(), "size": SIZE, "threads": 1} | changed
    return Runs(folder, **given)


@pytest.fixture(scope="module")
def compared(folder: Path, pair: Pair) -> Compared:
    return runs_of(folder).compared([pair])


@pytest.fixture
def copy(folder: Path, pair: Pair, tmp_path: Path) -> tuple[Path, Pair]:
    """A copy of the report and of its pictures, to change."""
    for path in folder.rglob("*"):
        if path.is_file():
            target = tmp_path / "report" / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    copies = [tmp_path / path.name for path in (pair.content, pair.style)]
    for path, source in zip(copies, (pair.content, pair.style), strict=True):
        path.write_bytes(source.read_bytes())
    return tmp_path / "report", Pair(*copies)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the methods that are really run."""
    names: list[str] = []
    real = compare_runs._messages

    def messages(job: Any) -> Iterator[Any]:
        names.append(job.method.name)
        return real(job)

    monkeypatch.setattr(compare_runs, "_messages", messages)
    return names


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_method_has_a_row_a_picture_and_its_clock(folder: Path, compared: Compared) -> None:
    rows = rows_of(folder)
    assert [row["method"] for row in rows] == [
        "fast, strength 0.5",
        "fast, strength 1",
        "Gatys, 1 from content",
        "Gatys, 3 from content",
        "Gatys, 2 from AdaIN",
    ]
    assert {(row["content"], row["style"]) for row in rows} == {("photo", ODD)}
    for result in compared.results:
        with Image.open(result.picture) as picture:
            assert (picture.size, picture.mode, picture.format) == ((SIZE, SIZE), "RGB", "PNG")
    seconds = [float(row["seconds"]) for row in rows]
    assert min(seconds) > 0 and seconds[3] > seconds[2] > seconds[1]


def test_figures_are_those_of_the_stored_pictures(
    folder: Path, pair: Pair, compared: Compared
) -> None:
    judge = Judge(load_vgg19_encoder(), SIZE)
    for row, result in zip(rows_of(folder), compared.results, strict=True):
        image = to_tensor(load_image(result.picture))
        with torch.inference_mode():
            expected = judge.losses(image, pair)
            colours = sliced_wasserstein(image, judge.image(pair.style)).item()
        for name, value in {**expected, "colour_distance": colours}.items():
            assert float(row[name]) == pytest.approx(value, rel=1e-3), name


def test_adain_is_the_stylizer_and_gatys_is_gatys(pair: Pair, compared: Compared) -> None:
    content, style = (load_image(p).resized(SIZE, SIZE) for p in (pair.content, pair.style))
    stylizer = Stylizer("fast", "cpu", threads=1)
    found = {result.key: load_image(result.picture).rgb for result in compared.results}
    for alpha in (0.5, 1):
        expected = stylizer.stylize(content, stylizer.encode_style(style), alpha)
        # Half a level of rounding to 8 bits.
        np.testing.assert_allclose(found[f"fast-{alpha:g}"], expected.rgb, atol=0.51 / 255)
    expected = gatys(content, [style], GatysOptions(iterations=3, device="cpu")).picture
    # Other numbers of threads add up in another order, and the optimiser makes more of it.
    difference = np.abs(found["gatys-from-content-3"] - expected.rgb)
    assert difference.mean() < 1 / 255
    assert np.abs(found["gatys-from-content-1"] - expected.rgb).mean() > 2 * difference.mean()


def test_gatys_is_measured_by_its_own_loss(compared: Compared) -> None:
    results = {result.key: result for result in compared.results}
    last = results["gatys-from-content-3"]
    assert [point["iterations"] for point in last.curve] == [1, 2, 3]
    assert len(last.history) == 3 and not results["gatys-from-content-1"].history
    totals = [losses["total"] for losses in last.history]
    assert totals[0] > totals[1] > totals[2]
    for point, total in zip(last.curve, totals, strict=True):
        # Rounding to 8 bits changes it a little.
        assert point["gatys_loss"] == pytest.approx(total, rel=0.02)


def test_adains_time_is_that_of_pictures_it_has_not_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[bytes, bytes]] = []

    class Spy(Stylizer):
        def encode_style(self, image: Any, *, max_side: int | None = 512) -> Any:
            style = super().encode_style(image, max_side=max_side)
            seen.append((image.rgb.tobytes(), b""))
            return style

        def stylize(self, content: Any, style: Any, alpha: float = 1.0, **more: Any) -> Any:
            seen[-1] = (seen[-1][0], content.rgb.tobytes())
            return super().stylize(content, style, alpha, **more)

    monkeypatch.setattr(compare_worker, "Stylizer", Spy)
    # Pictures of one colour are what a shift or a flip would leave as they are.
    black, white = (Picture(np.full((SIZE, SIZE, 3), level, np.float32)) for level in (0, 1))
    job = Job(OPTIONS.methods()[0], Path(), Path(), SIZE, "cpu", 1)
    sent: list[Any] = []
    about = compare_worker._adain(sent.append, job, black, white)
    assert about == {"device": "cpu", "history": []} and len(sent) == 1
    styles, contents = zip(*seen, strict=True)
    assert len(set(styles)) == len(set(contents)) == len(seen) == 1 + compare_worker.TIMED


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process's peak memory")
def test_memory_is_that_of_a_process_of_its_own(compared: Compared) -> None:
    memory = {result.key: result.figures["memory"] for result in compared.results}
    # PyTorch, or what this process holds, would be many times as much.
    assert 2e7 < memory["fast-1"] < 3e8 < memory["gatys-from-content-3"]


def test_a_finished_comparison_is_not_made_again(
    folder: Path, pair: Pair, started: list[str]
) -> None:
    before = (folder / "metrics.csv").read_bytes()
    lines: list[str] = []
    compare([pair], folder, OPTIONS, lines.append)
    assert started == [] and len(lines) == 4
    assert lines[:2] == [f"{folder}: 4 of 4 runs are there already", "one pair:"]
    assert (folder / "metrics.csv").read_bytes() == before


def test_an_interrupted_comparison_goes_on(
    copy: tuple[Path, Pair], started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, pair = copy
    pictures = {path.name: path for path in folder.rglob("fast-*.png")}
    pictures["fast-0.5.png"].unlink()
    pictures["fast-1.png"].with_suffix(".json").write_text('{"made_of": ')
    (folder / "report.html").unlink()
    made = Runs.make

    def interrupted(runs: Runs, pair: Pair, method: Any, done: Any) -> None:
        if method.name == "fast-1":
            raise KeyboardInterrupt
        made(runs, pair, method, done)

    with monkeypatch.context() as patch:
        patch.setattr(Runs, "make", interrupted)
        with pytest.raises(KeyboardInterrupt):
            compare([pair], folder, OPTIONS)
    assert started == ["fast-0.5"] and pictures["fast-0.5.png"].is_file()
    compare([pair], folder, OPTIONS)
    assert started == ["fast-0.5", "fast-1"] and (folder / "report.html").is_file()


def test_what_was_made_of_something_else_is_stale(
    copy: tuple[Path, Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, pair = copy

    def kept(**changed: Any) -> list[str]:
        runs = runs_of(folder, **changed)
        return [m.name for m in runs.methods if runs.kept(pair, m) is not None]

    assert kept() == NAMES
    assert kept(size=80) == kept(threads=2) == kept(device="auto") == []
    more = replace(OPTIONS, iterations=(4,), adain_iterations=0, alphas=(1,))
    assert kept(methods=more.methods()) == ["fast-1"]
    with monkeypatch.context() as patch:
        patch.setattr(weights, "find_model", lambda name: {"decoder": pair.content})
        assert kept() == ["gatys-from-content"]
    save_image(255 - load_image(pair.style).to_array(), pair.style)
    assert kept() == []


def test_images_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    runs = Runs(tmp_path, OPTIONS.methods(), size=SIZE)
    paths = [Path("a/Tree 1.jpg"), Path("b/Tree 1.jpg"), Path("tree?1.png"), Path("../..jpg")]
    assert [runs.label(path) for path in paths] == ["Tree 1", "Tree 1 (2)", "tree?1 (3)", "."]
    folders = {runs.path(Pair(path, path), runs.methods[0], ".png").parent for path in paths}
    assert len(folders) == 4
    assert all(folder.is_relative_to(tmp_path / "results") for folder in folders)


def test_the_contact_sheet_has_all_pictures(folder: Path, compared: Compared) -> None:
    with Image.open(folder / "contact-sheet.png") as sheet:
        assert sheet.width == 7 * (SIZE + GAP) - GAP
        for column, result in enumerate(compared.results, 2):
            left = column * (SIZE + GAP)
            found = sheet.crop((left, sheet.height - SIZE, left + SIZE, sheet.height))
            with Image.open(result.picture) as picture:
                np.testing.assert_array_equal(np.asarray(found), np.asarray(picture))


def test_the_page_needs_nothing_else_and_escapes_names(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "http" not in page and "<b> &" not in page
    assert not re.search(r"\{(about|notes|data|script)\}", page)
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    data = json.loads(found[1])
    assert data["pairs"][0]["style"] == ODD
    assert all(uri.startswith("data:image/jpeg;") for uri in data["inputs"].values())


def test_means_are_over_the_pairs(compared: Compared) -> None:
    data = page_data(doubled(compared))
    assert [len(data["pairs"]), len(data["summary"])] == [2, 2]
    column = [measure["key"] for measure in data["measures"]].index("style_loss")
    first, second = (pair["figures"]["fast-1"][column] for pair in data["pairs"])
    assert second == 3 * first
    assert data["mean"]["figures"]["fast-1"][column] == pytest.approx(2 * first)


def doubled(compared: Compared) -> Compared:
    """Two pairs of one; the second has three times the style loss."""
    others = [
        replace(
            result,
            content="other",
            figures={**result.figures, "style_loss": 3 * (result.figures["style_loss"] or 0)},
        )
        for result in compared.results
    ]
    images = {**compared.images, "other": compared.images["photo"]}
    return replace(compared, results=[*compared.results, *others], images=images)


def test_worth_in_iterations(compared: Compared) -> None:
    history = [{"total": total} for total in (9.0, 5.0, 5.0, 2.0)]
    assert [iterations_worth(history, loss, "total") for loss in (10, 5, 4, 2, 1)] == [
        1,
        2,
        4,
        4,
        None,
    ]
    assert middle([3, None, 1]) == 3 and middle([None, None, 1]) is None and middle([2, 3]) == 2.5
    fast, start = summary(compared)
    results = {result.key: result for result in compared.results}
    assert fast["label"] == "fast, strength 1"
    assert fast["seconds"] == results["fast-1"].figures["seconds"]
    loss, history = results["fast-1"].figures["gatys_loss"], results["gatys-from-content-3"].history
    expected = [losses["total"] <= loss for losses in history]
    assert fast["total"] == (expected.index(True) + 1 if any(expected) else None)
    assert start["limit"] == 2 and start["of"] == 3
    head, model, run = summary_lines(compared)
    assert head == "one pair:"
    count = "more than 3" if fast["total"] is None else str(fast["total"])
    assert model.startswith("fast, strength 1: ")
    assert f"worth {count} iterations" in model
    assert run.startswith("Gatys from fast's picture: 2 iterations are worth ")


def test_curves_are_looked_at_evenly_in_the_logarithm() -> None:
    assert curve_iterations(1) == [1]
    assert curve_iterations(10) == [1, 2, 3, 5, 7, 10]
    assert curve_iterations(300)[-4:] == [100, 147, 215, 300]


def test_pairs_come_from_lists_and_products(tmp_path: Path, photo: np.ndarray) -> None:
    for side in ("content", "style"):
        (tmp_path / side).mkdir()
        save_image(photo, tmp_path / side / "a.png")
    (tmp_path / "one.csv").write_text("content,style\na,a\n")
    content, style = tmp_path / "content" / "a.png", tmp_path / "style" / "a.png"
    assert listed_pairs(tmp_path / "one.csv") == all_pairs([content], [style])
    (tmp_path / "four.csv").write_text("content,style\na,a\na.png,a\na,a.png\na.png,a.png\n")
    assert len(listed_pairs(tmp_path / "four.csv", 2)) == 2
    message = error_of(lambda: listed_pairs(tmp_path / "four.csv", 5))
    assert message == "pairs: found 5; allowed is 1 to 4"
    assert "pairs.csv: not a readable CSV file" in error_of(lambda: listed_pairs(tmp_path))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 48}, "size: found 48; allowed: an integer in 64..768"),
        ({"size": 100}, "size: found 100; allowed: a multiple of 16"),
        ({"alphas": [0.5, 2]}, "alphas: found [0.5, 2]"),
        ({"alphas": []}, "alphas: found []"),
        ({"iterations": []}, "iterations: found none"),
        ({"iterations": [50, 0]}, "iterations: found 0; allowed: an integer of at least 1"),
        ({"threads": 0}, "threads: found 0"),
        ({"models": ["slow"]}, "model: found 'slow'; allowed: fast, vgg19 or paper"),
    ],
)
def test_a_bad_option_is_one_line(options: dict[str, Any], message: str) -> None:
    assert message in error_of(lambda: CompareOptions(**options))


def failure(pairs: Sequence[Pair], folder: Path) -> str:
    return error_of(lambda: compare(pairs, folder, OPTIONS))


def test_what_cannot_be_compared_is_one_line(
    pair: Pair, tmp_path: Path, vgg19_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, broken = tmp_path / "out", tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    assert "pairs: found none" in failure([], out)
    assert "nowhere.png" in failure([Pair(pair.content, tmp_path / "nowhere.png")], out)
    assert "broken.png" in failure([Pair(broken, pair.style)], out)
    assert "broken.png/results" in failure([pair], broken)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/bin/false")
        assert "fast-0.5: found a process that ended with status 1" in failure([pair], out)
    monkeypatch.setattr(weights, "search_folders", list)
    assert "not found" in failure([pair], out)
    assert not (out / "report.html").exists()


def test_the_page_in_a_browser(compared: Compared, chromium: str, tmp_path: Path) -> None:
    api = pytest.importorskip("playwright.sync_api", reason="the page needs a browser")
    page_file = write_report(doubled(compared), tmp_path)
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        page = browser.new_page(viewport={"width": 360, "height": 800})
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda r: r.url.startswith(("file:", "data:")) or wrong.append(r.url))
        page.goto(page_file.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert page.locator(".tile").all_inner_texts()[0].startswith("fast, strength 1")

        # Any two pictures, side by side.
        page.locator("#left").select_option("style")
        page.locator("[name=side][value=right]").check(force=True)
        page.locator('#choices button[data-key="gatys-from-content-1"]').click()
        sources = page.evaluate("[...document.querySelectorAll('#stage img')].map((i) => i.src)")
        uris = page_data(doubled(compared))
        assert sources == [
            uris["pairs"][0]["pictures"]["gatys-from-content-1"],
            uris["inputs"][ODD],
        ]
        page.locator("#slider").focus()
        page.keyboard.press("ArrowRight")
        assert page.evaluate("stage.style.getPropertyValue('--x')") == "51%"

        # Each AdaIN result is a point, Gatys a curve; both follow the pair.
        assert page.locator("svg .point").count() == 2
        assert page.locator("svg polyline.curve").count() == 2
        page.locator("#measure").select_option("style_loss")
        page.locator("#plot svg").focus()
        page.keyboard.press("ArrowRight")
        mean = page.locator("#said").inner_text()
        assert mean.startswith("fast, strength") and "style-statistics loss" in mean
        page.locator("[name=scope][value=pair]").check(force=True)
        page.locator("#next").click()
        assert page.locator("#table-scope").inner_text() == f"other in the style of {ODD}"
        page.locator("#plot svg").focus()
        page.keyboard.press("ArrowRight")
        assert page.locator("#said").inner_text() != mean

        def column() -> list[float]:
            cells = page.locator("#body td:nth-child(3)").all_inner_texts()
            return [float(cell.replace(",", "")) for cell in cells]

        heading = page.locator("#head th:nth-child(3) button")
        heading.focus()
        page.keyboard.press("Enter")
        assert column() == sorted(column()) and len(column()) == 5
        assert page.locator("#head th:nth-child(3)").get_attribute("aria-sort") == "ascending"
        page.keyboard.press("Enter")
        assert column() == sorted(column(), reverse=True)
        assert wrong == []
        browser.close()
