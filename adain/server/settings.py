"""What an operator can set: the options of `adain serve` and `adain demo`."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal


@dataclass(frozen=True)
class Settings:
    """``max_upload`` is in bytes, ``timeout`` and ``keep`` are in seconds.

    ``workers`` pictures are computed at a time, and ``queue`` more requests may wait. ``keep`` is
    how long uploads and what was made of them stay after they were last asked for, and a video
    after it was made. ``drain`` is how
    long what is running may take to its end when the server is stopped, in seconds as well.

    ``video`` is whether videos are stylized. One may have ``max_video`` bytes, of which
    ``max_video_seconds`` are stylized, in frames of ``max_video_pixels``. One is made at a time,
    ``video_queue`` may wait, and all that are kept may take ``video_disk`` bytes.

    ``root_path`` is the path, or the whole address, at which a proxy serves this server, and
    ``trusted_proxies`` are the addresses that may say in headers whom they ask for, as `uvicorn`
    has them: separated by commas, "*" for all. ``gatys`` is whether the page offers the
    optimisation; None: only to this machine. ``grpc_port`` is of the Open Inference Protocol, which
    HTTP has in any case.
    """

    host: str = "127.0.0.1"
    port: int = 7860
    users: tuple[tuple[str, str], ...] = ()  # names and passwords
    max_upload: int = 20_000_000
    max_pixels: int = 40_000_000
    queue: int = 32
    workers: int = 1
    timeout: float = 60.0
    keep: float = 3600.0
    drain: float = 30.0
    video: bool = True
    max_video: int = 200_000_000
    max_video_seconds: float = 300.0
    max_video_pixels: int = 2_100_000
    video_queue: int = 4
    video_disk: int = 4_000_000_000
    root_path: str = ""
    trusted_proxies: str = "127.0.0.1"
    log_format: Literal["text", "json"] = "text"
    access_log: bool = True
    mcp: bool = False
    gatys: bool | None = None
    grpc_port: int | None = None

    @property
    def offers_gatys(self) -> bool:
        """Whether the page has the tab: it takes all of a machine for minutes."""
        return is_loopback(self.host) if self.gatys is None else self.gatys

    @property
    def address(self) -> str:
        """Where a program on this machine reaches the page and the service."""
        host = {"0.0.0.0": "localhost", "::": "localhost"}.get(self.host, self.host)
        host = f"[{host}]" if ":" in host and not host.startswith("[") else host
        return f"http://{host}:{self.port}/"


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine alone."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:  # a name
        return host == "localhost"
