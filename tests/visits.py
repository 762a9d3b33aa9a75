"""A person's visit to the demo's page."""

from __future__ import annotations

import base64
import io
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import axe_playwright_python
import numpy as np
from PIL import Image

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
TIMEOUT = 120.0  # seconds for whatever should happen at once, on a machine under any load
# The page shows JPEG and lossy WebP; a download is exact.
NEAR = 4.0  # levels of 255, in the mean


@dataclass
class Visit:
    """A page of the demo, and what it asked of others or complained about."""

    page: Any
    address: str
    strangers: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, more: str = "") -> None:
        self.page.set_default_timeout(TIMEOUT * 1000)
        self.page.route("**/*", self._route)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(self.address + more)
        self.page.wait_for_selector("#studio [role=tab][aria-selected=true]")

    def open_result(self, more: str = "") -> None:
        self.open(more)
        self.page.wait_for_selector("#result:not(.empty)")

    def _route(self, route: Any) -> None:
        if route.request.url.startswith((self.address, "data:", "blob:")):
            route.continue_()
        else:
            self.strangers.append(route.request.url)
            route.abort()

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def tab(self, title: str) -> None:
        self.page.get_by_role("tab", name=title, exact=True).click()

    def choose(self, button: str, *files: Path) -> None:
        """Choose files in the dialog that a button opens."""
        with self.page.expect_file_chooser() as dialog:
            self.page.click(f"#{button}")
        dialog.value.set_files([str(file) for file in files])

    def photo(self, file: Path) -> None:
        self.choose("photo-choose", file)
        self.wait_for_text("#photo-title", file.name)

    def style(self, file: Path) -> None:
        self.choose("style-choose", file)
        self.page.get_by_role("radio", name=file.name).first.wait_for()

    def wait_for_text(self, selector: str, text: str) -> None:
        self.page.locator(selector, has_text=text).first.wait_for()

    def set_slider(self, name: str, value: float) -> None:
        self.page.fill(f"#{name}", str(value))

    def notice(self) -> str:
        return str(self.page.inner_text(".notice"))

    def files_to(self, selector: str, event: str, *files: Path) -> None:
        """Drop files on an element, or paste them there, as a browser tells the page of it."""
        given = [{"name": f.name, "data": base64.b64encode(f.read_bytes()).decode()} for f in files]
        self.page.evaluate(GIVE, [selector, event, given])

    def shown(self) -> Image.Image | None:
        """The result."""
        data = self.page.evaluate(SHOWN)
        return Image.open(io.BytesIO(base64.b64decode(data))) if data else None

    def expect(self, wanted: Image.Image) -> None:
        """Wait until the result looks like ``wanted``."""
        until = time.monotonic() + TIMEOUT
        while True:
            found = self.shown()
            if found is not None and difference(found, wanted) < NEAR:
                return
            assert time.monotonic() < until, f"the result stays {found}, not {wanted}"
            time.sleep(0.1)

    def bring(self, content: Path, style: Path, strength: int = 100) -> None:
        """A photo and a style of one's own, at a strength in per cent."""
        self.style(style)
        self.photo(content)
        self.set_slider("strength", strength)

    def expect_saved(self, wanted: Image.Image) -> str:
        """What is saved as PNG is ``wanted``, to the bit; its name."""
        name, saved = self.save("png")
        assert np.array_equal(np.asarray(saved), np.asarray(wanted))
        return name

    def violations(self) -> list[Any]:
        """What axe finds on the page: rules, and elements that break them."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        return list(self.page.evaluate(RUN))

    def save(self, format: str) -> tuple[str, Image.Image]:
        """What the menu saves: its name and the picture."""
        self.page.click("#save summary")
        with self.page.expect_download() as saved:
            self.page.click(f"#save [data-format={format}]")
        picture = Image.open(saved.value.path())
        picture.load()
        return saved.value.suggested_filename, picture


RUN = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations.map(
    ({id, nodes}) => [id, nodes.slice(0, 4).map((node) =>
        [node.html.slice(0, 160), node.any.map((a) => a.message)])])"""
SHOWN = """async () => {
  const { src } = document.querySelector('#result img.after');
  if (!src) return '';
  const bytes = new Uint8Array(await (await fetch(src)).arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}"""
GIVE = """([selector, event, files]) => {
  const types = { jpg: 'image/jpeg', png: 'image/png', pdf: 'application/pdf', tif: 'image/tiff',
    webm: 'video/webm' };
  const data = new DataTransfer();
  for (const { name, data: text } of files) {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    data.items.add(new File([bytes], name, { type: types[name.split('.').pop()] || '' }));
  }
  const place = document.querySelector(selector);
  const about = { bubbles: true, cancelable: true };
  if (event === 'paste') {
    place.dispatchEvent(new ClipboardEvent('paste', { ...about, clipboardData: data }));
  } else {
    for (const type of ['dragenter', 'dragover', 'drop']) {
      place.dispatchEvent(new DragEvent(type, { ...about, dataTransfer: data }));
    }
  }
}"""


def difference(a: Image.Image, b: Image.Image) -> float:
    """In levels, in the mean; colours count as much as they cover."""
    if (a.mode, a.size) != (b.mode, b.size):
        return 255.0
    one, other = (np.asarray(picture, np.float32) for picture in (a, b))
    if one.shape[2] == 4:
        one, other = (np.dstack([p[..., :3] * p[..., 3:] / 255, p[..., 3:]]) for p in (one, other))
    return float(np.abs(one - other).mean())
