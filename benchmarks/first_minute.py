"""What a person does first on the page, counted and timed: `python -m benchmarks.first_minute`.

A headless Chromium opens the real page of a demo of its own and does what a person does: own photo
in, a style, its strength, another style, back, saved. An action is a click, a key (with what is
held), a drag, or the choice in the system's file dialog; the seconds go from the first action of an
errand until the picture on the page last changed. They are the page's own: the hand that moves and
the eye that searches are not in them, which is why the actions are counted beside.
"""

from __future__ import annotations

import base64
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from PIL import Image

from adain import AdaINError
from adain.cli.run import run
from adain.drawings.photographs import FOLDER
from adain.tables import markdown_table
from tools.browser import browsing, serving

Place = tuple[float, float]  # a share of an element's width and height

# The picture that is seen, told from another.
PICTURE = """selector => {
  const picture = document.querySelector(selector);
  return picture?.complete ? picture.src : '';
}"""
# When it last changed, in seconds of the clock, once it has kept still for a second.
SEEN = f"""([selector, before]) => new Promise((resolve) => {{
  const picture = {PICTURE};
  let [last, changed] = [before, 0];
  const look = () => {{
    const found = picture(selector);
    const busy = document.querySelector(selector)?.closest('[aria-busy=true]');
    if (found && found !== last) [last, changed] = [found, Date.now()];
    if (changed && !busy && Date.now() - changed > 1000) resolve(changed / 1000);
    else requestAnimationFrame(look);
  }};
  look();
}})"""
GIVE = """([selector, event, name, text]) => {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name, { type: 'image/jpeg' }));
  const more = { bubbles: true, cancelable: true, composed: true };
  const element = document.querySelector(selector);
  const pasted = new ClipboardEvent('paste', { ...more, clipboardData: data });
  const dragged = (step) => new DragEvent(step, { ...more, dataTransfer: data });
  const events = ['dragenter', 'dragover', 'drop'].map(dragged);
  for (const told of event === 'paste' ? [pasted] : events) element.dispatchEvent(told);
}"""
# The newest of the last results is the one that is shown.
REMEMBERED = """() => {
  const text = (selector) => document.querySelector(selector).innerText.trim();
  const shown = [text('#photo-title'), text('#styles [aria-checked=true]')];
  shown.push(`${document.querySelector('#strength').value} %`);
  const { title } = document.querySelector('.recent button') || { title: '' };
  return shown.every((name) => title.includes(name));
}"""
DIVIDED = "parseFloat(document.querySelector('#result').style.getPropertyValue('--divider')) > 40"
TIMEOUT = 120_000  # milliseconds, on a machine under any load


class Person:
    """Hands on a page, whose actions are counted; they look at the element `picture`."""

    def __init__(self, page: Any, picture: str) -> None:
        self.page, self.picture, self.actions = page, picture, 0
        page.set_default_timeout(TIMEOUT)

    def click(self, selector: str) -> None:
        self.actions += 1
        self.page.locator(selector).first.click()

    def drag(self, selector: str, start: Place, end: Place) -> None:
        """From one place of an element to another, with the button held."""
        self.actions += 1
        box = self.page.locator(selector).first.bounding_box()

        def place(share: Place) -> Place:
            return box["x"] + box["width"] * share[0], box["y"] + box["height"] * share[1]

        self.page.mouse.move(*place(start))
        self.page.mouse.down()
        self.page.mouse.move(*place(end), steps=20)
        self.page.mouse.up()

    def choose(self, selector: str, file: Path) -> None:
        """A click that opens the system's dialog, and the choice in it."""
        with self.page.expect_file_chooser() as dialog:
            self.click(selector)
        self.actions += 1
        dialog.value.set_files(str(file))

    def give(self, selector: str, event: str, file: Path) -> None:
        """Drop a file on an element or paste it there, as a browser tells the page of it."""
        self.actions += 1
        text = base64.b64encode(file.read_bytes()).decode()
        self.page.evaluate(GIVE, [selector, event, file.name, text])

    def until_seen(self, errand: Callable[[], None], *, anew: bool = False) -> tuple[int, float]:
        """Actions and seconds of an errand whose end is another picture (``anew``: any picture)."""
        before = "" if anew else self.page.evaluate(PICTURE, self.picture)
        self.actions, started = 0, time.time()
        errand()
        seen = self.page.evaluate(SEEN, [self.picture, before])
        return self.actions, seen - started

    def until_saved(self, errand: Callable[[], None], size: tuple[int, int]) -> tuple[int, float]:
        """Actions and seconds of an errand whose end is a saved picture of this size."""
        self.actions, started = 0, time.time()
        with self.page.expect_download() as saved:
            errand()
        path = saved.value.path()
        seconds = time.time() - started
        with Image.open(path) as picture:
            if picture.size != size:
                raise AdaINError(f"the page saved a picture of {picture.size}, not of {size}")
        return self.actions, seconds


def first_minute(page: Any, photo: Path, other: Path) -> list[tuple[str, int, float]]:
    """The errands on our page, which has been opened: what, actions, seconds."""
    person = Person(page, "#result img.after")
    rows: list[tuple[str, int, float]] = []

    def styled(key: str) -> Callable[[], None]:
        return lambda: person.click(f'#styles [data-key="{key}"]')

    def seen(what: str, errand: Callable[[], None], *, anew: bool = False) -> None:
        rows.append((what, *person.until_seen(errand, anew=anew)))
        page.wait_for_function(REMEMBERED)  # they look at it; what passes is not remembered

    def saved() -> None:
        person.click("#save summary")
        person.click("#save [data-format=jpeg]")

    def reloaded() -> None:
        person.actions += 1
        page.reload()

    second, third = page.locator("#styles [role=radio]").evaluate_all(
        "tiles => tiles.slice(1, 3).map((tile) => tile.dataset.key)"
    )
    seen("own photo in, and painted", lambda: person.choose("#photo-choose", photo))
    seen("another style", styled(second))
    seen("its strength", lambda: person.drag("#strength", (0.75, 0.5), (0.4, 0.5)))
    seen("a third style", styled(third))
    seen("back to the result before", lambda: person.click(".recent button:nth-child(2)"))
    back = page.locator("#styles [aria-checked=true]").get_attribute("data-key")
    if back != second:
        raise AdaINError(f"back led to {back!r}, not to {second!r}")
    with Image.open(photo) as own:
        size = own.size
    rows.append(("saved in full size", *person.until_saved(saved, size)))
    seen("a photo dropped on the result", lambda: person.give("#result", "drop", other))
    seen("a photo pasted", lambda: person.give("body", "paste", photo))
    person.actions, started = 0, time.time()
    person.drag("#result input[type=range]", (0.004, 0.5), (0.5, 0.5))
    page.wait_for_function(DIVIDED)
    rows.append(("before and after", person.actions, time.time() - started))
    seen("all of it again after a reload", reloaded, anew=True)
    if photo.name not in page.inner_text("#photo-title"):
        raise AdaINError(f"after the reload the photo is {page.inner_text('#photo-title')!r}")
    return rows


@click.command()
def main() -> None:
    """Count and time what a person does first on the page, in a real browser."""
    with serving() as address, browsing() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        started = time.time()
        page.goto(address)
        page.wait_for_selector("#result:not(.empty)", timeout=TIMEOUT)
        opened = ("the page opened, a result shown", 0, time.time() - started)
        rows = [opened, *first_minute(page, FOLDER / "pavilion.jpg", FOLDER / "autumn.jpg")]
    table = [[what, str(actions), f"{seconds:.1f}"] for what, actions, seconds in rows]
    click.echo(markdown_table(["errand", "actions", "seconds"], table))


if __name__ == "__main__":
    sys.exit(run(main))
