"""What an operator can set: the options of `adain serve` and `adain demo`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """``max_upload`` is in bytes, ``timeout`` and ``keep`` are in seconds.

    ``workers`` pictures are computed at a time, and ``queue`` more requests may wait. ``keep`` is
    how long uploads and what was made of them stay after they were last asked for.
    """

    host: str = "127.0.0.1"
    port: int = 7860
    auth: tuple[str, str] | None = None
    max_upload: int = 20_000_000
    max_pixels: int = 40_000_000
    queue: int = 32
    workers: int = 1
    timeout: float = 60.0
    keep: float = 3600.0
    mcp: bool = False

    @property
    def address(self) -> str:
        """Where a program on this machine reaches the page and the service."""
        host = {"0.0.0.0": "localhost", "::": "localhost"}.get(self.host, self.host)
        host = f"[{host}]" if ":" in host and not host.startswith("[") else host
        return f"http://{host}:{self.port}/"
