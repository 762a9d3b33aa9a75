from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from comparing import OPTIONS, SIZE

from adain import Stylizer
from adain.images.picture import Picture
from adain.learning.comparison import worker
from adain.learning.comparison.worker import Job


def test_adains_time_is_that_of_pictures_it_has_not_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[bytes, bytes]] = []

    class Spy(Stylizer):
        def encode_style(self, image: Any, *, max_side: int | None = 512) -> Any:
            style = super().encode_style(image, max_side=max_side)
            seen.append((image.rgb.tobytes(), b""))
            return style

        def stylize(self, content: Any, style: Any, alpha: float = 1.0, **more: Any) -> Any:
            seen[-1] = (seen[-1][0], content.rgb.tobytes())
            return super().stylize(content, style, alpha, **more)

    monkeypatch.setattr(worker, "Stylizer", Spy)
    # Pictures of one colour are what a shift or a flip would leave as they are.
    black, white = (Picture(np.full((SIZE, SIZE, 3), level, np.float32)) for level in (0, 1))
    job = Job(OPTIONS.methods()[0], Path(), Path(), SIZE, "cpu", 1)
    sent: list[Any] = []
    about = worker._adain(sent.append, job, black, white)
    assert about == {"device": "cpu", "history": []} and len(sent) == 1
    styles, contents = zip(*seen, strict=True)
    assert len(set(styles)) == len(set(contents)) == len(seen) == 1 + worker.TIMED
