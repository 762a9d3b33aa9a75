"""Where live frames go: a window, a virtual camera that other programs see, and a file."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path
from typing import Any

from PIL import Image

from adain.errors import MissingError, found_error
from adain.files import check_writable
from adain.video.formats import check_video_file
from adain.video.frames import About, Frame, Pixels
from adain.video.live.loop import LiveStatus
from adain.video.options import VideoOptions
from adain.video.writing import VideoWriter

_UNIT = Fraction(1, 1000)


class Window:
    """A window of Tk's, which Python brings; the OpenCV of the extra `video` shows none."""

    def __init__(self) -> None:
        """Raises AdaINError where no window can be shown."""
        allowed = "a desktop, --virtual, or -o FILE"
        try:
            import tkinter

            from PIL import ImageTk

            self._tk: Any = tkinter.Tk()
        except ImportError as error:
            raise found_error("window", f"a Python without Tk ({error})", allowed) from error
        except tkinter.TclError as error:
            raise found_error("window", f"no display ({error})", allowed) from error
        self._photo_of = ImageTk.PhotoImage
        self._photo: Any = None
        self._keys = ""
        self._label = tkinter.Label(self._tk, borderwidth=0)
        self._label.pack()
        self._tk.title("adain")
        self._tk.resizable(False, False)
        self._tk.bind("<Key>", lambda event: self._press(event.char))
        self._tk.protocol("WM_DELETE_WINDOW", lambda: self._press("q"))

    def _press(self, key: str) -> None:
        self._keys += key

    def __call__(self, frame: Pixels, status: LiveStatus) -> str:
        image = Image.fromarray(frame)
        if self._photo is None or (self._photo.width(), self._photo.height()) != image.size:
            self._photo = self._photo_of(image)
            self._label.configure(image=self._photo)
        else:
            self._photo.paste(image)
        self._tk.title(f"adain, {status}")
        self._tk.update()
        keys, self._keys = self._keys, ""
        return keys

    def close(self) -> None:
        self._tk.destroy()


class VirtualCamera:
    """A camera that other programs see, by pyvirtualcam: v4l2loopback, or OBS."""

    def __init__(self, fps: float | None = None) -> None:
        """``fps`` is what is told to programs that ask; AdaINError where pyvirtualcam is not."""
        try:
            import pyvirtualcam
        except ImportError as error:
            raise MissingError(
                f"a virtual camera needs pyvirtualcam, which cannot be imported ({error});"
                " `pip install 'adain[camera]'` installs it"
            ) from error
        self._kind, self._fps = pyvirtualcam.Camera, fps or 30
        self._camera: Any = None

    def __call__(self, frame: Pixels, status: LiveStatus) -> None:
        height, width = frame.shape[:2]
        if self._camera is None:
            try:
                self._camera = self._kind(width, height, self._fps)
            except RuntimeError as error:
                allowed = "v4l2loopback on Linux, OBS elsewhere"
                raise found_error("virtual camera", f"none ({error})", allowed) from error
        self._camera.send(frame)

    def close(self) -> None:
        if self._camera is not None:
            self._camera.close()


class Recorder:
    """A video of what is shown, at the times at which it was."""

    def __init__(self, path: Path, video: VideoOptions | None = None) -> None:
        """Raises AdaINError where the file cannot be written."""
        check_video_file(path)
        check_writable(path)
        self._path, self._video = path, video or VideoOptions()
        self._writer: VideoWriter | None = None
        self._last: tuple[Pixels, Fraction] | None = None

    def __call__(self, frame: Pixels, status: LiveStatus) -> None:
        now = Fraction(round(time.monotonic() * 1000), 1000)
        if self._writer is None:
            height, width = frame.shape[:2]
            about = About(width=width, height=height, time_base=_UNIT)
            self._writer, self._begun = VideoWriter(self._path, about, self._video), now
        self._write_last(now)
        self._last = frame, now

    def _write_last(self, now: Fraction) -> None:
        """How long a frame was shown is known when the next one is."""
        if self._last is not None and self._writer is not None:
            frame, came = self._last
            self._writer.write(Frame(frame, came - self._begun, max(now - came, _UNIT)))

    def discard(self) -> None:
        """Leave no file."""
        if self._writer is not None:
            self._writer.discard()
            self._writer = None

    def close(self) -> None:
        """Write what is left, and give the file its name, where there is a frame."""
        if self._writer is not None:
            try:
                self._write_last(Fraction(round(time.monotonic() * 1000), 1000))
                self._writer.finish()
            finally:
                self._writer.discard()
