"""The devices, in words."""

from click.testing import CliRunner

from adain.backends import BACKENDS, DEVICES
from adain.cli.stylize import stylize


def test_the_words_name_every_device() -> None:
    assert DEVICES == (
        "auto, cpu, cuda, tensorrt, directml, coreml or openvino,"
        " and cuda:N, tensorrt:N or directml:N for one of several"
    )
    assert all(kind in DEVICES for kind in BACKENDS)
    shown = CliRunner().invoke(stylize, ["--help"]).output
    assert DEVICES in " ".join(shown.split())
