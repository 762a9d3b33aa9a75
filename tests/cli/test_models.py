"""``adain models get``: what is made of older weights is not ready."""

import shutil
from pathlib import Path

import pytest

from adain import weights
from adain.cli.models import is_ready


def test_files_of_other_weights_are_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an upgrade, where those in the cache are of the weights before."""
    assert is_ready("fast")
    source = weights.find("fast.safetensors", get="")
    monkeypatch.setenv("ADAIN_WEIGHTS", str(tmp_path))
    shutil.copy(source, tmp_path)
    assert is_ready("fast")
    with open(tmp_path / source.name, "ab") as file:
        file.write(b"other")
    assert not is_ready("fast")
