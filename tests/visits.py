"""A person's visit to the demo's page."""

from __future__ import annotations

import base64
import io
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

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

    def open(self) -> None:
        self.page.set_default_timeout(TIMEOUT * 1000)
        self.page.route("**/*", self._route)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(self.address)
        self.page.wait_for_selector("#result img.after[src]")

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
        self.page.locator("#tabs").get_by_role("tab", name=title, exact=True).first.click()

    def upload(self, place: str, file: Path) -> None:
        self.page.set_input_files(f"#{place} input[type=file]", file)

    def set_slider(self, name: str, value: float) -> None:
        self.page.fill(f"#{name} input[type=range]", str(value))

    def shown(self, name: str = "result") -> Image.Image | None:
        """The picture in the place of a result."""
        source = self.page.get_attribute(f"#{name} img.after", "src") or ""
        if not source:
            return None
        return Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2])))

    def expect(self, wanted: Image.Image, name: str = "result") -> None:
        """Wait until the result looks like ``wanted``."""
        until = time.monotonic() + TIMEOUT
        while True:
            found = self.shown(name)
            if found is not None and difference(found, wanted) < NEAR:
                return
            assert time.monotonic() < until, f"the result stays {found}, not {wanted}"
            time.sleep(0.1)

    def download(self, button: str) -> tuple[str, Image.Image]:
        """What a click on a button saves: its name and the picture."""
        with self.page.expect_download() as saved:
            self.page.click(f"#{button}")
        picture = Image.open(saved.value.path())
        picture.load()
        return saved.value.suggested_filename, picture

    def caption(self, name: str = "caption") -> str:
        return str(self.page.inner_text(f"#{name} .caption")).strip()


def difference(a: Image.Image, b: Image.Image) -> float:
    """In levels, in the mean; colours count as much as they cover."""
    if (a.mode, a.size) != (b.mode, b.size):
        return 255.0
    one, other = (np.asarray(picture, np.float32) for picture in (a, b))
    if one.shape[2] == 4:
        one, other = (np.dstack([p[..., :3] * p[..., 3:] / 255, p[..., 3:]]) for p in (one, other))
    return float(np.abs(one - other).mean())
