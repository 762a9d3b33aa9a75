"""What tests share: where the pretrained weights are, and a browser."""

import os
import shutil
from pathlib import Path

import pytest

from adain import weights
from adain.errors import AdaINError

# Where the pretrained weights lie beside the checkout.
BESIDE = Path(__file__).resolve().parents[2] / "shared" / "weights"
if BESIDE.is_dir() and not os.environ.get("ADAIN_WEIGHTS"):
    os.environ["ADAIN_WEIGHTS"] = str(BESIDE)


@pytest.fixture(scope="session")
def vgg19_weights() -> Path:
    """The published VGG-19 encoder; without it the test is skipped."""
    try:
        return weights.find(*weights.VGG19_FILES, get="")
    except AdaINError:
        pytest.skip(f"no {weights.VGG19_FILES[0]} on this machine; {weights.GET_VGG19}")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium; without one the test is skipped, but fails where CI is true."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    if os.environ.get("CI") == "true":
        pytest.fail("no Chromium on this machine, and CI=true says there must be one")
    pytest.skip("no Chromium on this machine")
