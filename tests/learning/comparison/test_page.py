import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from comparing import ODD

from adain.learning.comparison.page import (
    iterations_worth,
    middle,
    page_data,
    summary,
    summary_lines,
)
from adain.learning.comparison.report import write_report
from adain.learning.comparison.results import Compared


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
