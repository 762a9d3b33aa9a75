"""Pictures brought to the page: chosen, dropped, pasted; and what is no picture."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from serving import waves
from visits import Visit

from adain import Stylizer


@pytest.mark.parametrize(
    ("event", "place"),
    [("drop", "#result"), ("drop", ".page-heading"), ("paste", "body"), ("paste", "#strength")],
)
def test_a_photo_is_taken_wherever_it_is_dropped_or_pasted(
    visit: Visit, content: Path, style: Path, stylizer: Stylizer, event: str, place: str
) -> None:
    visit.style(style)
    visit.set_slider("strength", 100)
    visit.files_to(place, event, content)
    visit.wait_for_text("#photo-title", content.name)
    visit.expect(stylizer.stylize(content, style))


def test_the_place_of_the_photo_is_a_button(visit: Visit, content: Path) -> None:
    before = visit.shown()
    with visit.page.expect_file_chooser() as dialog:
        visit.page.click("#photo")
    assert visit.shown() == before  # nothing is deleted by asking
    dialog.value.set_files(str(content))
    visit.wait_for_text("#photo-title", content.name)


def test_what_is_dropped_on_the_styles_is_a_style(visit: Visit, style: Path) -> None:
    title = visit.page.inner_text("#photo-title")
    visit.files_to("#styles", "drop", style)
    chosen = visit.page.locator("#styles [aria-checked=true]", has_text=style.name)
    chosen.wait_for()
    assert visit.page.inner_text("#photo-title") == title
    # And it can be taken away again.
    visit.page.get_by_label(f"Remove {style.name}").click()
    chosen.wait_for(state="detached")
    assert visit.page.locator("#styles [aria-checked=true]").count() == 1


def test_a_photo_may_be_meant_as_a_style(visit: Visit, style: Path) -> None:
    title = visit.page.inner_text("#photo-title")
    visit.files_to("body", "paste", style)
    visit.page.get_by_role("button", name="Use it as a style").click()
    visit.page.locator("#styles [aria-checked=true]", has_text=style.name).wait_for()
    assert visit.page.inner_text("#photo-title") == title


def test_what_is_no_picture_leaves_everything_as_it_is(visit: Visit, tmp_path: Path) -> None:
    title, before = visit.page.inner_text("#photo-title"), visit.shown()
    report, broken = tmp_path / "report.pdf", tmp_path / "broken.jpg"
    report.write_bytes(b"%PDF-1.7 of somebody")
    broken.write_bytes(b"\xff\xd8\xff\xe0 and nothing more")
    visit.files_to("#result", "drop", report)
    visit.wait_for_text(".notice.error", "report.pdf is not a picture.")
    visit.files_to("#result", "drop", broken)
    visit.wait_for_text(".notice.error", "broken.jpg cannot be read as a picture")
    assert visit.page.inner_text("#photo-title") == title
    assert visit.shown() == before
    visit.complaints.clear()  # the browser tells of the answer 400


def test_a_sentence_goes_away_by_itself(visit: Visit, tmp_path: Path) -> None:
    report = tmp_path / "report.pdf"
    report.write_bytes(b"%PDF-1.7 of somebody")
    visit.files_to("body", "drop", report)
    visit.page.locator(".notice.shown").wait_for()
    visit.page.locator(".notice:not(.shown)").wait_for(state="attached")


def test_what_the_browser_cannot_read_the_server_reads(
    visit: Visit, style: Path, stylizer: Stylizer, tmp_path: Path
) -> None:
    path = tmp_path / "scan.tif"
    Image.fromarray(waves(150, 110, 6)).save(path)
    visit.bring(path, style)
    wanted = stylizer.stylize(path, style)
    visit.expect(wanted)
    assert visit.expect_saved(wanted) == "scan-stylized.png"
