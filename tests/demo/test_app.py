"""The page as a whole: its width, the names of its parts, and what programs can call."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from visits import Visit

from adain import Stylizer


@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_the_width(visit: Visit, width: int) -> None:
    visit.page.set_viewport_size({"width": width, "height": 844})
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    for label in ("Content", "Style", "Strength"):
        assert visit.page.get_by_text(label, exact=True).first.is_visible()


UNNAMED = """() => Array.from(document.querySelectorAll('img, input, button, select, textarea'))
    .filter((e) => e.checkVisibility({visibilityProperty: true}))
    .filter((e) => !(e.alt || e.ariaLabel || e.title || e.labels?.length || e.textContent.trim()
        || e.closest('label') || e.getAttribute('aria-labelledby')))
    .map((e) => e.outerHTML.slice(0, 200))"""


@pytest.mark.parametrize(
    "tab", ["Stylize", "Mix", "Paint", "Compare with Gatys", "Use it elsewhere"]
)
def test_pictures_and_controls_have_names(visit: Visit, tab: str) -> None:
    visit.tab(tab)
    visit.page.wait_for_load_state("networkidle")
    assert visit.page.evaluate(UNNAMED) == []


def test_programs_can_use_the_page(
    demo: str, stylizer: Stylizer, content: Path, style: Path, tmp_path: Path
) -> None:
    client = pytest.importorskip("gradio_client")
    service = client.Client(demo, download_files=str(tmp_path), verbose=False)
    files = client.handle_file(str(content)), client.handle_file(str(style))
    path = service.predict(*files, 0.4, "fast", False, 1, "1024", api_name="/stylize")
    wanted = stylizer.stylize(content, style, alpha=0.4)
    assert np.array_equal(np.asarray(Image.open(path)), np.asarray(wanted))
    described = service.view_api(return_format="dict")["named_endpoints"]
    assert set(described) == {"/stylize", "/paint"}
