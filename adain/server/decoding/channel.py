"""What passes between the server and a decoder process: a JSON object, and samples beside it.

JSON and not pickle: whoever takes over a decoder by a broken file must not gain the server too.
"""

from __future__ import annotations

import json
import mmap
import os
import signal
import struct
import sys
import warnings
from collections.abc import Sequence
from typing import IO, Any, TypeAlias

import numpy as np

Bytes: TypeAlias = np.ndarray[Any, np.dtype[np.uint8]]

_HEAD = struct.Struct("<QQ")  # the lengths of the object and of the bytes
_OBJECT = 100_000  # bytes at most
_WINDOW = 4 << 20


class Window:
    """Memory that both processes see, by which samples pass in half the time of a pipe.

    Made anew for every answer, it would cost more than the pipe does.
    """

    def __init__(self, file: int) -> None:
        self.file = file
        self.memory = np.frombuffer(mmap.mmap(file, _WINDOW), np.uint8)

    @classmethod
    def make(cls) -> Window | None:
        """A new one; None where the system has no such memory."""
        if not hasattr(os, "memfd_create"):  # Linux alone
            return None
        import fcntl

        file = os.memfd_create("adain-decoder", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(file, _WINDOW)
        # Who made it shorter would end whoever looks at it.
        fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL)
        return cls(file)


class Channel:
    """One end: two unbuffered streams, and on Linux memory that both processes see."""

    def __init__(self, reader: IO[bytes], writer: IO[bytes], window: Window | None) -> None:
        self._reader: Any = reader
        self._writer: Any = writer
        self._window = window

    def send(self, about: dict[str, Any], data: Sequence[Any] = ()) -> None:
        """Write an object and the bytes of ``data``, bytes or arrays, by the streams."""
        views = [memoryview(part).cast("B") for part in data]
        self._write_head(about, sum(view.nbytes for view in views))
        for view in views:
            self._write(view)

    def receive(self, limit: int) -> tuple[dict[str, Any], Bytes]:
        """What `send` has sent; EOFError where the other side has ended.

        Raises ValueError for what the other side cannot mean, such as more than ``limit`` bytes.
        """
        about, size = self._read_head(limit)
        buffer = np.empty(size, np.uint8)
        self._read(buffer.data)
        return about, buffer

    def send_samples(self, about: dict[str, Any], arrays: Sequence[Any] = ()) -> None:
        """Write an object and arrays, by the memory that both see where there is such."""
        if self._window is None:
            self.send(about, arrays)
            return
        self._write_head(about, sum(array.nbytes for array in arrays))
        for array in arrays:
            samples = array.reshape(-1).view(np.uint8)
            for start in range(0, len(samples), _WINDOW):
                part = samples[start : start + _WINDOW]
                self._window.memory[: len(part)] = part
                self._write(_HEAD.pack(len(part), 0))
                self._read(memoryview(bytearray(1)))

    def receive_samples(self, limit: int) -> tuple[dict[str, Any], Bytes]:
        """What `send_samples` has sent; errors as `receive` has them."""
        if self._window is None:
            return self.receive(limit)
        about, size = self._read_head(limit)
        samples, done = np.empty(size, np.uint8), 0
        head = bytearray(_HEAD.size)
        while done < size:
            self._read(memoryview(head))
            length, _ = _HEAD.unpack(head)
            if not 0 < length <= min(_WINDOW, size - done):
                raise ValueError(f"found a part of {length} bytes")
            samples[done : done + length] = self._window.memory[:length]
            done += length
            self._write(b"\0")
        return about, samples

    def close(self) -> None:
        self._reader.close()
        self._writer.close()
        if self._window is not None:
            os.close(self._window.file)

    def _write_head(self, about: dict[str, Any], size: int) -> None:
        text = json.dumps(about).encode()
        self._write(_HEAD.pack(len(text), size) + text)

    def _read_head(self, limit: int) -> tuple[dict[str, Any], int]:
        head = bytearray(_HEAD.size)
        self._read(memoryview(head))
        length, size = _HEAD.unpack(head)
        if length > _OBJECT or size > limit:
            raise ValueError(f"found {length} and {size} bytes")
        text = bytearray(length)
        self._read(memoryview(text))
        about = json.loads(text)
        if not isinstance(about, dict):
            raise ValueError("found no object")
        return about, size

    def _write(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        while view:
            view = view[self._writer.write(view) :]

    def _read(self, view: memoryview) -> None:
        while view:
            got = self._reader.readinto(view)
            if not got:
                raise EOFError
            view = view[got:]


def child_channel() -> Channel:
    """The channel to the server, of a child process that it has started and that begins with this.

    It is over stdin and stdout, which nothing else may use then; the argument is the descriptor of
    the shared memory. Signals to stop, and warnings, are ignored from then on.
    """
    # Whoever stops the server by a signal to all of its processes leaves it to end this one.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    window = Window(int(sys.argv[1])) if len(sys.argv) > 1 else None
    channel = Channel(os.fdopen(os.dup(0), "rb", 0), os.fdopen(os.dup(1), "wb", 0), window)
    os.dup2(2, 1)  # whatever a library prints is no answer
    warnings.simplefilter("ignore")
    return channel
