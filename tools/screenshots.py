"""What every tab looks like: `python -m tools.screenshots -o FOLDER` saves a PNG of each.

At desktop and at phone width, by day and by night. Needs Chromium and Playwright's driver.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from adain.cli.run import run
from adain.files import make_folder
from tools.browser import browsing, serving

WIDTHS = {"desktop": (1280, 900), "phone": (390, 844)}
TIMEOUT = 60_000  # milliseconds


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
def main(output: Path) -> None:
    """Save a picture of every tab of the demo."""
    make_folder(output)
    with serving() as address, browsing() as browser:
        titles = titles_of(browser, address)
        for width, size in WIDTHS.items():
            for scheme in ("light", "dark"):
                for name, page in tabs(browser, address, titles, size, scheme):
                    path = output / f"{name}-{width}-{scheme}.png"
                    page.screenshot(path=path, full_page=True)
                    click.echo(path)


def titles_of(browser: Any, address: str) -> list[str]:
    """The tabs of the page, not those within one."""
    page = open_page(browser, address, WIDTHS["desktop"], "light")
    tablist = page.locator("#tabs [role=tablist]").first
    titles = [title.strip() for title in tablist.get_by_role("tab").all_inner_texts()]
    page.close()
    return titles


def open_page(browser: Any, address: str, size: tuple[int, int], scheme: str) -> Any:
    """The page with its first result."""
    width, height = size
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.goto(address)
    page.wait_for_selector("#result img.after[src]", timeout=TIMEOUT)
    return page


def tabs(
    browser: Any, address: str, titles: list[str], size: tuple[int, int], scheme: str
) -> Iterator[tuple[str, Any]]:
    """A page that shows one tab after another, and the name of each."""
    page = open_page(browser, address, size, scheme)
    for title in titles:
        select(page, title)
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(1500)  # transitions, and pictures that come without a request
        yield re.sub(r"\W+", "-", title.lower()), page
    page.close()


def select(page: Any, title: str) -> None:
    """Open a tab, in the menu where a narrow page has folded it away."""
    tab = page.locator("#tabs").get_by_role("tab", name=title, exact=True).first
    if not tab.is_visible():
        page.locator("#tabs .overflow-menu button").first.click()
        page.locator("#tabs .overflow-dropdown button", has_text=title).click()
    else:
        tab.click()


if __name__ == "__main__":
    sys.exit(run(main))
