"""Cameras: a device by its number, or a file that plays at its own rate."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import cv2

from adain.errors import found_error
from adain.images.reading import fit
from adain.video.frames import Frame, Pixels
from adain.video.opening import reader_of
from adain.video.options import VideoOptions


class DeviceCamera:
    """The frames of a camera, uint8 [H, W, 3], as they come."""

    def __init__(
        self,
        number: int,
        size: tuple[int, int] | None = None,
        fps: float | None = None,
        max_side: int | None = None,
    ) -> None:
        """``size`` and ``fps`` are asked for; the camera gives what is nearest.

        Raises AdaINError where there is no such camera, or another program has it.
        """
        self.name, self._max_side = f"camera {number}", max_side
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        self._device: Any = cv2.VideoCapture(number)
        for key, value in (
            (cv2.CAP_PROP_FRAME_WIDTH, size and size[0]),
            (cv2.CAP_PROP_FRAME_HEIGHT, size and size[1]),
            (cv2.CAP_PROP_FPS, fps),
        ):
            if value:
                self._device.set(key, value)
        if not self._device.read()[0]:
            self.close()
            raise found_error(self.name, "no picture", "the number of a camera that is free")

    def __iter__(self) -> Iterator[Pixels]:
        while True:
            seen, frame = self._device.read()
            if not seen:
                raise found_error(self.name, "no further picture", "a camera that stays")
            width, height = frame.shape[1], frame.shape[0]
            if self._max_side is not None and max(width, height) > self._max_side:
                size = fit((width, height), self._max_side)
                frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
            yield cast(Pixels, cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))

    def close(self) -> None:
        self._device.release()


class FileCamera:
    """The frames of a video at the times at which a player would show them."""

    def __init__(self, path: Path, max_side: int | None = None) -> None:
        """Raises AdaINError for a file that is no video."""
        self.name = os.fspath(path)
        self._reader = reader_of(path, max_side, VideoOptions())

    def __iter__(self) -> Iterator[Pixels]:
        begun = time.monotonic()
        for item in self._reader.items(Fraction(0), None):
            if isinstance(item, Frame):
                time.sleep(max(0.0, begun + float(item.time) - time.monotonic()))
                yield item.rgb

    def close(self) -> None:
        self._reader.close()
