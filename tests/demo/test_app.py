"""The page as a whole: the names of its parts, and nothing stray on it."""

from __future__ import annotations

import pytest
from visits import Visit

UNNAMED = """() => Array.from(document.querySelectorAll('img, input, button, select, textarea'))
    .filter((e) => e.checkVisibility({visibilityProperty: true}))
    .filter((e) => e.tagName !== 'IMG' || !e.closest('button, figure'))
    .filter((e) => !(e.alt || e.ariaLabel || e.title || e.labels?.length || e.textContent.trim()
        || e.closest('label') || e.getAttribute('aria-labelledby')))
    .map((e) => e.outerHTML.slice(0, 200))"""


@pytest.mark.parametrize(
    "tab", ["style", "mix", "paint", "sheet", "many", "live", "gatys", "embed"]
)
def test_pictures_and_controls_have_names(visit: Visit, tab: str) -> None:
    visit.page.click(f"#tab-{tab}")
    visit.page.wait_for_load_state("networkidle")
    assert visit.page.evaluate(UNNAMED) == []
