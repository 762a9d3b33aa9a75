"""The endpoints of Gradio that programs call."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sample_images import painted_map

from adain import Stylizer
from adain.drawings import catalog

client = pytest.importorskip("gradio_client")
QUIET = {"verbose": False, "analytics_enabled": False}


def test_programs_can_use_the_page(
    demo: str, stylizer: Stylizer, content: Path, style: Path, tmp_path: Path
) -> None:
    service = client.Client(demo, download_files=str(tmp_path), **QUIET)
    files = client.handle_file(str(content)), client.handle_file(str(style))
    path = service.predict(*files, 0.4, "fast", False, 1, "1024", api_name="/stylize")
    wanted = stylizer.stylize(content, style, alpha=0.4)
    assert np.array_equal(np.asarray(Image.open(path)), np.asarray(wanted))
    described = service.view_api(return_format="dict")["named_endpoints"]
    assert set(described) == {"/stylize", "/paint"}


def test_programs_paint_too(demo: str, content: Path, stylizer: Stylizer, tmp_path: Path) -> None:
    halves = np.zeros((10, 16, 3), np.uint8)
    halves[:, :8, 0] = 255
    halves[:, 8:, 2] = 128
    names = list(catalog.STYLES)[:3]
    styles = [catalog.file_of(name) for name in names]
    program = client.Client(demo, download_files=tmp_path, **QUIET)
    look = ("fast", False, 1.0, "768")
    files = [client.handle_file(str(path)) for path in (content, *styles)]
    values = [files[0], painted_map(halves), *files[1:], *look]
    answer = program.predict(*values, api_name="/paint")
    masks = [halves[..., 0], halves[..., 2]]
    wanted = stylizer.stylize(content, [styles[0], styles[2]], masks=masks)
    assert np.array_equal(np.asarray(Image.open(answer)), np.asarray(wanted))
    values[1] = "/etc/hostname"
    with pytest.raises(Exception, match="map: found text that starts with"):
        program.predict(*values, api_name="/paint")
