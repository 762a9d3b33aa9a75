"""The video process: FFmpeg reads and writes a stranger's video here, within limits.

``python -m adain.server.video.process`` takes one request from stdin: to look at a video, or to
make one. It works in the folder of a job, which holds CONTENT, and asks the server for the networks
frame by frame, so it holds none of them. It ends when stdin does, as it does when the server is
gone. Its argument is the file of the memory that both see.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import threading
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from PIL import Image

from adain.errors import AdaINError
from adain.images import Picture
from adain.images.windows import Windows
from adain.options import StylizeOptions
from adain.recipe import Recipe
from adain.resampling import Box
from adain.server.decoding.channel import Channel, child_channel
from adain.server.decoding.limits import limit_data, limit_file, limit_seconds, stand_back
from adain.server.video import CONTENT
from adain.style import Style
from adain.video import VideoOptions, stylize_video
from adain.video.animation import AnimationFile, is_animation
from adain.video.reading import VideoFile

REQUEST = 100_000  # bytes of a request or of what a shot is told
ROOM = 2**31  # bytes of an answer of the server's
# Below the server, which answers people who wait.
NICE = 5

FloatArray = npt.NDArray[np.float32]


class Remote:
    """As much of a `Stylizer` as `stylize_video` asks for: the server's, by a channel."""

    # Whose memory it is that a frame has to fit into is for the server to say.
    device = "server"

    def __init__(self, channel: Channel, *, changing: bool) -> None:
        """``changing`` is whether the styles are others over time."""
        self._channel, self._changing = channel, changing
        # Frames are stylized in one thread and written in another.
        self.speaking = threading.Lock()
        self._progress: tuple[int, int | None] = (0, None)

    def tell(self, done: int, total: int | None) -> None:
        """Say how many frames are written; with the next frame, where one is just spoken of."""
        self._progress = done, total
        if self.speaking.acquire(blocking=False):
            try:
                self._channel.send_samples({"progress": self._progress})
            finally:
                self.speaking.release()

    def style_for(self, source: Style, content: None, options: StylizeOptions) -> Style:
        """What stands in the place of a style, which the server has encoded and checked."""
        return source

    def stylize_recipe(self, content: Windows, recipe: Recipe, *, exact: bool) -> Picture:
        """A frame in the styles of the job, which the server knows; of the recipe it takes what it
        tells the decoder of the frame's statistics, and the shares of styles that change."""
        frame = content.window(Box(0, 0, content.height, content.width)).to_array()
        with self.speaking:
            about: dict[str, Any] = {"frame": frame.shape, "progress": self._progress}
            if self._changing:
                about["shares"] = recipe.sources[0].vector.tolist()
            self._channel.send_samples(about, [np.ascontiguousarray(frame)])
            while True:
                about, data = self._channel.receive_samples(ROOM)
                if "statistics" not in about:
                    rgb = data.view(np.float32).reshape(frame.shape[0], frame.shape[1], 3)
                    return Picture(rgb)
                own = data.view(np.float32).reshape(about["statistics"])
                told: FloatArray = own if recipe.statistics is None else recipe.statistics(own)
                self._channel.send_samples({"told": True}, [np.ascontiguousarray(told, np.float32)])


def main() -> None:
    """Answer one request."""
    channel = child_channel()
    if hasattr(signal, "SIGXFSZ"):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing then fails with EFBIG
    stand_back()
    with contextlib.suppress(AttributeError, OSError):
        os.nice(NICE)
    request, _ = channel.receive(REQUEST)
    limit_data(request["memory"])
    try:
        looks = request["task"] == "look"
        channel.send_samples(look(request) if looks else make(request, channel))
    except EOFError:
        return  # the server has gone
    except (AdaINError, MemoryError) as error:
        cause = error.__cause__
        number = cause.errno if isinstance(cause, OSError) else None
        # A thread for which there is no memory is refused as one that may be had later, and a part
        # of a library, of which some are loaded late, as one that is not there.
        full = number in (errno.ENOMEM, errno.EAGAIN)
        full = full or isinstance(error, MemoryError)
        full = full or isinstance(cause, (MemoryError, ImportError))
        channel.send_samples({"error": str(error), "memory": full, "errno": number})


def look(request: dict[str, Any]) -> dict[str, Any]:
    """How large a video's frames are, how many there are, and its seconds, as its packets say."""
    limit_seconds(request["seconds"])
    path, max_side = Path(CONTENT), request["max_side"]
    if is_animation(path):
        with contextlib.closing(AnimationFile(path, max_side)) as animation:
            about = animation.about
        with Image.open(path) as image:
            size, frames, seconds = image.size, int(getattr(image, "n_frames", 1)), None
    else:
        with contextlib.closing(VideoFile(path, max_side)) as video:
            about, size = video.about, video.coded
            frames, seconds = video.measured(whole=request["whole"])
    return {
        "width": about.width,
        "height": about.height,
        "pixels": size[0] * size[1],
        "frames": frames,
        "seconds": None if seconds is None else float(seconds),
    }


def make(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Write the video that a job asks for; what there is to know of it."""
    limit_file(request["disk"])
    times = request["style_at"]
    remote = Remote(channel, changing=bool(times))
    # In place of the styles, which the server keeps: each is all of itself and nothing of the
    # others, so a mixture of them is its shares.
    style: Style | Picture
    style, *later = (Style(row, "", "") for row in np.eye(1 + len(times), dtype=np.float32))
    if request["colours"] == "matched":
        style = Picture(np.zeros((1, 1, 3), np.float32))
    result = stylize_video(
        CONTENT,
        style,
        request["output"],
        # Whether a part of a frame is stylized as in the whole depends on these.
        StylizeOptions(
            max_side=request["max_side"],
            colours=request["colours"],
            smooth=request["smooth"],
            alpha=1.0 if request["even"] else np.ones((1, 1), np.float32),
        ),
        VideoOptions(**request["video"], style_at=dict(zip(times, later, strict=True))),
        stylizer=cast(Any, remote),
        callback=remote.tell,
    )
    return {"made": result.frames, "notes": result.notes}


if __name__ == "__main__":
    main()
