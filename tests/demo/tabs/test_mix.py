"""The tab that mixes styles, in a browser."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from visits import Visit

from adain import Stylizer
from adain.demo import widgets


def test_a_mixture_is_the_stylizers(
    visit: Visit, stylizer: Stylizer, content: Path, style: Path
) -> None:
    visit.tab("Mix")
    visit.page.wait_for_selector("#mix-result img.after[src]")
    visit.upload("mix-content", content)
    visit.upload("mix-1", style)
    visit.set_slider("share-1", 0.25)
    visit.set_slider("share-2", 0.75)
    second = widgets.drawn("stained-glass")
    wanted = stylizer.stylize(content, [style, second], style_weights=[0.25, 0.75])
    visit.expect(wanted, "mix-result")
    visit.page.get_by_role("button", name="Woodcut").locator("visible=true").click()
    third = widgets.drawn("woodcut")
    weights = [0.25, 0.75, 0.5]
    visit.expect(
        stylizer.stylize(content, [style, second, third], style_weights=weights), "mix-result"
    )
    _, saved = visit.download("mix-download-png")
    wanted = stylizer.stylize(content, [style, second, third], style_weights=weights)
    assert np.array_equal(np.asarray(saved), np.asarray(wanted))
