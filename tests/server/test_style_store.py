"""Styles kept for somebody: for as long as was promised, whoever else comes."""

from __future__ import annotations

import numpy as np
import pytest

from adain import Style, cache
from adain.server.asgi import CLIENT
from adain.server.queue import BusyError
from adain.server.style_store import StyleStore

STYLE = Style(np.zeros(8, np.float32), "fast")


def test_no_style_goes_before_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(cache.time, "monotonic", lambda: now[0])
    store = StyleStore(keep=50, limit=5, each=3)
    CLIENT.set("polite")
    first, _ = store.add(STYLE)
    CLIENT.set("greedy")
    for _ in range(3):
        store.add(STYLE)
    with pytest.raises(BusyError, match="3 styles of yours"):
        store.add(STYLE)
    CLIENT.set("third")
    store.add(STYLE)
    with pytest.raises(BusyError, match="5 styles are kept"):
        store.add(STYLE)
    now[0] += 30
    assert store.get(first) is STYLE  # which puts off its end
    now[0] += 30
    store.add(STYLE)
    assert store.get(first) is STYLE
