"""What every tab looks like: `python -m tools.screenshots -o FOLDER` saves a PNG of each.

At the widths of a desktop, a tablet and a phone, by day and by night. Needs Chromium and
Playwright's driver.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from adain.cli.run import run
from adain.files import make_folder
from tools.browser import browsing, serving

WIDTHS = {"desktop": (1280, 900), "tablet": (820, 1100), "phone": (390, 844)}
TIMEOUT = 60_000  # milliseconds


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
def main(output: Path) -> None:
    """Save a picture of every tab of the demo."""
    make_folder(output)
    with serving() as address, browsing() as browser:
        for width, size in WIDTHS.items():
            for scheme in ("light", "dark"):
                for name, page in tabs(browser, address, size, scheme):
                    path = output / f"{name}-{width}-{scheme}.png"
                    page.screenshot(path=path, full_page=True)
                    click.echo(path)


def tabs(
    browser: Any, address: str, size: tuple[int, int], scheme: str
) -> Iterator[tuple[str, Any]]:
    """A page that shows one tab after another, and the name of each."""
    width, height = size
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.goto(address)
    page.wait_for_selector("#result:not(.empty)", timeout=TIMEOUT)
    for tab in page.get_by_role("tablist", name="What to make").get_by_role("tab").all():
        tab.click()
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(1500)  # transitions, and pictures that come without a request
        yield str(tab.get_attribute("id")).removeprefix("tab-"), page
    page.close()


if __name__ == "__main__":
    sys.exit(run(main))
