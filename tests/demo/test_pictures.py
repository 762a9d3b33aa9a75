"""Pictures that the page's script names: drawings and uploads, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import gradio as gr
import pytest

from adain import AdaINError
from adain.demo.pictures import chosen_pair
from adain.drawings import catalog

PHOTO, STYLE = next(iter(catalog.CONTENTS)), next(iter(catalog.STYLES))


def pair(content: object, style: object) -> str:
    return json.dumps({"content": content, "style": style})


def test_drawings_and_uploads_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    upload = tmp_path / "photo.jpg"
    upload.touch()
    content, style = chosen_pair(pair({"path": str(upload)}, {"name": STYLE}))
    assert content == str(upload.resolve())
    assert Path(style).is_file()


@pytest.mark.parametrize(
    "value", [None, "", "[]", "{}", pair({"name": "no such"}, {"name": STYLE})]
)
def test_what_names_no_pictures_is_refused(value: object) -> None:
    with pytest.raises(AdaINError, match="on their way"):
        chosen_pair(value)


@pytest.mark.parametrize("path", ["/etc/hostname", "../../etc/hostname", __file__])
def test_a_file_that_nobody_uploaded_is_refused(path: str) -> None:
    with pytest.raises(gr.Error, match="not uploaded"):
        chosen_pair(pair({"path": path}, {"name": STYLE}))
