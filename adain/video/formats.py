"""The containers that videos are written to, by suffix, and the encoder that each begins with."""

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from adain.errors import found_error
from adain.images.formats import format_of
from adain.video.frames import NUMBER, is_pattern


@dataclass(frozen=True)
class Container:
    """FFmpeg's name of a container, and what goes into it where nobody says otherwise."""

    muxer: str
    encoder: str = "libx264"
    # For pictures with an alpha channel; empty: none can be had.
    alpha_encoder: str = ""
    # What times are multiples of, whatever they were in the source.
    time_base: Fraction | None = None
    constant_rate: bool = False
    # The codecs of sound and subtitles that it takes; None: FFmpeg knows.
    takes: tuple[str, ...] | None = None
    attachments: bool = False
    chapters: bool = True
    # For how many seconds a frame is shown at the least.
    least: Fraction = Fraction(0)
    options: dict[str, str] = field(default_factory=dict)


# Of what is none of these FFmpeg makes a stream of data, which nothing plays.
_TRANSPORTED: tuple[str, ...] = ("aac", "aac_latm", "ac3", "dts", "eac3", "mp1", "mp2", "mp3")
_TRANSPORTED += ("opus", "truehd", "dvb_subtitle", "dvb_teletext")
_START = {"movflags": "+faststart"}
CONTAINERS = {
    ".mp4": Container("mp4", options=_START),
    ".m4v": Container("mp4", options=_START),
    ".mov": Container("mov", alpha_encoder="prores_ks", options=_START),
    ".mkv": Container("matroska", alpha_encoder="ffv1", attachments=True),
    ".webm": Container("webm", "libvpx-vp9", "libvpx-vp9", takes=("opus", "vorbis", "webvtt")),
    ".avi": Container("avi", "mpeg4", constant_rate=True, chapters=False),
    ".ts": Container("mpegts", takes=_TRANSPORTED, chapters=False),
    # Browsers show what lasts less for 0.1 s.
    ".gif": Container("gif", "gif", "gif", Fraction(1, 100), least=Fraction(2, 100)),
    ".apng": Container("apng", "apng", "apng", Fraction(1, 1000)),
    ".png": Container("apng", "apng", "apng", Fraction(1, 1000)),
    ".webp": Container("webp", "libwebp_anim", "libwebp_anim", Fraction(1, 1000)),
}
ANIMATIONS = ("gif", "apng", "webp")
# Encoders with a constant rate factor, and how each is told to be no slower than it needs to.
CRF_ENCODERS: dict[str, dict[str, str]] = {
    "libx264": {"preset": "veryfast"},
    "libx265": {"preset": "veryfast", "x265-params": "log-level=error"},
    "libvpx-vp9": {"b": "0", "deadline": "realtime", "cpu-used": "6", "row-mt": "1"},
    "libsvtav1": {"preset": "10"},
}
# Encoders that would save bits at any price: the worst quantizer that they may choose.
QMAX_ENCODERS = {name: {"qmax": "4"} for name in ("mpeg4", "mpeg2video")}


def loop_option(muxer: str, times: int) -> dict[str, str]:
    """The muxer's option for how often an animation is shown; 0 is for ever."""
    if muxer == "gif":
        # The number of repetitions, and -1 for none.
        return {"loop": str(times - 1 if times > 1 else -times)}
    return {"plays" if muxer == "apng" else "loop": str(times)}


def check_video_file(path: Path) -> None:
    """Raise AdaINError unless a path is a file of CONTAINERS, and no folder or pattern."""
    if is_pattern(path) or path.is_dir() or path.suffix.lower() not in CONTAINERS:
        raise found_error(str(path), "no name of a video file", ", ".join(CONTAINERS))


def check_output_format(path: Path) -> None:
    """Raise AdaINError unless a path is a file of CONTAINERS, a folder or a pattern of frames."""
    if is_pattern(path):
        format_of(str(path), path.suffix)
        if len(NUMBER.findall(path.name)) > 1:
            raise found_error(str(path), "several numbers", "one, such as %04d.png")
    elif "%" in path.name and path.suffix.lower() == ".png" and not path.is_file():
        # It would be a file of APNG, which nobody means who forgets the number.
        raise found_error(str(path), "no number", "a pattern such as %04d.png")
    elif path.suffix.lower() not in CONTAINERS and not (path.is_dir() or not path.suffix):
        allowed = f"{', '.join(CONTAINERS)}, a folder, or a pattern such as frames/%04d.png"
        raise found_error(str(path), f"a file of {path.suffix or 'no suffix'}", allowed)
