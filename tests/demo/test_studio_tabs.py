"""Mixtures, the contact sheet, many photos and the camera, in a real browser."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image
from serving import waves
from visits import Visit

from adain import Stylizer
from adain.demo.studio import style_names
from adain.drawings import catalog


def test_a_mixture_is_the_stylizers(
    visit: Visit, stylizer: Stylizer, content: Path, style: Path
) -> None:
    names = style_names()
    visit.photo(content)
    visit.set_slider("strength", 100)
    visit.tab("Mix")
    wells = visit.page.locator(".well")
    assert wells.count() == 2
    visit.style(style)  # into the next free well
    wells.nth(2).wait_for()
    visit.page.get_by_label(f"Share of {style.name}").fill("25")
    visit.page.get_by_label(f"Share of {catalog.STYLES[names[0]].title}").fill("75")
    visit.page.get_by_label(f"Remove {catalog.STYLES[names[1]].title}").click()
    assert wells.count() == 2
    wanted = stylizer.stylize(content, [catalog.file_of(names[0]), style], style_weights=[75, 25])
    visit.expect(wanted)
    assert [w.inner_text() for w in wells.locator("output").all()] == ["75 %", "25 %"]
    _, saved = visit.save("png")
    assert np.abs(np.asarray(saved, int) - np.asarray(wanted)).max() <= 1


def test_a_click_fills_the_next_free_well_or_the_one_that_was_chosen(visit: Visit) -> None:
    visit.tab("Mix")
    wells = visit.page.locator(".well")
    for count, name in enumerate(("Woodcut", "Mosaic"), 3):
        visit.page.locator("#styles").get_by_role("radio", name=name).click()
        assert wells.nth(count - 1).inner_text().startswith(name)
    wells.first.get_by_role("button").first.click()
    visit.page.locator("#styles").get_by_role("radio", name="Linocut").click()
    assert wells.first.inner_text().startswith("Linocut")
    assert wells.count() == 4


def test_the_usual_keys_undo_and_redo(visit: Visit) -> None:
    page = visit.page

    def expect(strength: int, style: str, tab: str) -> None:
        page.wait_for_selector(f"#tab-{tab}[aria-selected=true]")
        page.wait_for_selector(f'#styles [aria-checked="true"]:has-text("{style}")')
        assert page.input_value("#strength") == str(strength)

    start = int(page.input_value("#strength"))
    box = page.locator("#strength").bounding_box()
    page.mouse.move(box["x"] + 9, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 9 + box["width"] / 2, box["y"] + box["height"] / 2, steps=20)
    page.mouse.up()
    dragged = int(page.input_value("#strength"))
    assert 30 < dragged < 70
    page.locator("#styles").get_by_role("radio", name="Mosaic").click()
    visit.tab("Live")
    page.locator("#styles").get_by_role("radio", name="Linocut").click()
    page.keyboard.press("Control+z")
    expect(dragged, "Mosaic", "live")
    visit.tab("Style")
    page.keyboard.press("Control+z")
    expect(dragged, "Great wave", "style")
    page.keyboard.press("Control+z")
    expect(start, "Great wave", "style")
    page.keyboard.press("Control+z")
    expect(start, "Great wave", "style")
    page.keyboard.press("Control+Shift+z")
    expect(dragged, "Great wave", "style")
    for _ in range(2):
        page.keyboard.press("Control+y")
    expect(dragged, "Linocut", "live")
    visit.tab("Style")
    page.get_by_label("Strength in per cent").fill("5")
    page.keyboard.press("Control+z")  # of what is typed
    expect(dragged, "Linocut", "style")


def test_the_contact_sheet_has_the_photo_in_all_styles(
    visit: Visit, stylizer: Stylizer, content: Path
) -> None:
    visit.photo(content)
    visit.set_slider("strength", 100)
    visit.tab("All styles")
    visit.page.wait_for_selector("#sheet-save:not([disabled])")
    tiles = visit.page.locator("#sheet-grid button")
    assert tiles.count() == len(catalog.STYLES)
    with visit.page.expect_download() as saved:
        visit.page.click("#sheet-save")
    sheet = Image.open(saved.value.path())
    assert sheet.width > 4 * 203
    wanted = stylizer.stylize(content, catalog.file_of(style_names()[0]))
    first = np.asarray(sheet.crop((12, 12, 12 + 203, 12 + 301)), float)
    assert np.abs(first - np.asarray(wanted)).mean() < 5
    tiles.filter(has_text="Woodcut").click()
    assert visit.page.get_attribute("#tab-style", "aria-selected") == "true"
    visit.expect(stylizer.stylize(content, catalog.file_of("woodcut")))


def test_many_photos_are_saved_as_one_zip_and_a_broken_one_is_named(
    visit: Visit, stylizer: Stylizer, style: Path, tmp_path: Path
) -> None:
    files = []
    for number in range(2):
        files.append(tmp_path / f"photo {number}.jpg")
        Image.fromarray(waves(160 + 40 * number, 120, number)).save(files[-1])
    broken = tmp_path / "notes.jpg"
    broken.write_text("Buy more turpentine.")
    visit.style(style)
    visit.set_slider("strength", 100)
    visit.tab("Many photos")
    visit.choose("many-choose", *files, broken)
    visit.page.click("#many-start")
    visit.wait_for_text("#many-state", "2 made, 1 failed")
    assert "cannot be read as a picture" in visit.page.inner_text("#many-list .failed")
    with visit.page.expect_download() as saved:
        visit.page.click("#many-save")
    with zipfile.ZipFile(saved.value.path()) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["photo 0-stylized.jpg", "photo 1-stylized.jpg"]
        for file, name in zip(files, archive.namelist(), strict=True):
            result = np.asarray(Image.open(io.BytesIO(archive.read(name))), float)
            wanted = np.asarray(stylizer.stylize(file, style))
            assert np.abs(result - wanted).mean() < 3
    visit.complaints.clear()  # the browser tells of the answer 400


def test_photos_dropped_together_are_many(visit: Visit, content: Path, style: Path) -> None:
    visit.files_to("#result", "drop", content, style)
    visit.page.locator("#many-list li").nth(1).wait_for()
    assert visit.page.get_attribute("#tab-many", "aria-selected") == "true"


def test_the_camera_is_painted_over_and_a_picture_kept(visit: Visit) -> None:
    visit.tab("Live")
    visit.page.click("#live-start")
    visit.page.wait_for_function("document.querySelector('.live canvas').dataset.frames > 3")
    assert "pictures a second" in visit.page.inner_text("#live-rate")
    visit.set_slider("strength", 0)
    visit.page.click("#live-still")
    visit.wait_for_text("#photo-title", "Camera picture")
    assert visit.page.get_attribute("#tab-style", "aria-selected") == "true"
    wide = "(image) => image.naturalWidth > image.naturalHeight"
    visit.page.wait_for_function(f"({wide})(document.querySelector('#result img.after'))")
    visit.tab("Live")
    assert visit.page.inner_text("#live-start") == "Start the camera"
