"""Where a proxy serves a server."""

import re

import pytest

from adain.server.root_path import split


def test_paths_and_addresses() -> None:
    assert split("") == (None, "") and split("/a/b/") == (None, "/a/b")
    origin, prefix = split("https://example.com:8443/a")
    assert origin is not None and (origin.netloc, prefix) == ("example.com:8443", "/a")
    for wrong in ("adain", "//example.com/a", "ftp://a/b", "/a?b", "/a#b", "/a b", '/"'):
        with pytest.raises(ValueError, match=re.escape(wrong)):
            split(wrong)
