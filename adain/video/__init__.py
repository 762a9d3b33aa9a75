"""Video stylization: frames in, frames out, steady over time; sound and time stamps as they are."""

from adain.video.options import VideoOptions
from adain.video.run import VideoResult, stylize_video

__all__ = ["VideoOptions", "VideoResult", "stylize_video"]
