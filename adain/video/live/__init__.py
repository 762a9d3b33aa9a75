"""Live video: what a camera sees, stylized as it happens."""

from adain.video.live.loop import LiveStatus, stylize_live

__all__ = ["LiveStatus", "stylize_live"]
