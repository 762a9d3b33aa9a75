"""Where a proxy serves a server: a path, or a whole address."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

PREFIX = re.compile(r"(/[\w.~-]+)+")


def split(root_path: str) -> tuple[SplitResult | None, str]:
    """The origin of a whole address, None for a path alone, and the path without a slash at its
    end. ValueError for what is neither."""
    parts = urlsplit(root_path)
    prefix = parts.path.rstrip("/")
    whole = parts.scheme in ("http", "https") and bool(parts.netloc)
    if parts.query or parts.fragment or (not whole and (parts.scheme or parts.netloc)):
        raise ValueError(root_path)
    if prefix and not PREFIX.fullmatch(prefix):
        raise ValueError(root_path)
    return (parts if whole else None), prefix
