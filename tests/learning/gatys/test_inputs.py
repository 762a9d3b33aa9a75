"""Sizes, starts and checks of an optimisation."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")


from waves import picture

from adain import Stylizer
from adain.errors import AdaINError
from adain.images.picture import Picture
from adain.learning.gatys import inputs
from adain.learning.gatys.objective import GatysObjective
from adain.learning.gatys.options import GatysOptions
from adain.learning.gatys.run import optimize, total_iterations
from adain.learning.models import vgg
from adain.learning.tensors import to_tensor


def test_sizes_go_from_coarse_to_fine() -> None:
    options = GatysOptions(iterations=100)
    assert inputs.sizes(700, 500, options) == [(700, 500, 100)]
    steps = [(500, 300, 100), (1000, 600, 50), (2001, 1200, 25)]
    assert inputs.sizes(2001, 1200, options) == steps
    assert total_iterations(2001, 1200, options) == 175
    one = replace(options, coarse_to_fine=False)
    assert inputs.sizes(2001, 1200, one) == [(2001, 1200, 100)]


def test_the_adain_start_is_nearer_to_the_style(network: vgg.VGG19Layers) -> None:
    content, grain = picture(64, 64, 0), np.random.default_rng(1).random((64, 64, 3), np.float32)
    style = Picture(0.3 * grain + 0.7 * picture(64, 64, 1).rgb)
    first = {}
    for init in ("content", "adain"):
        options = GatysOptions(init=init)  # type: ignore[arg-type]
        objective = GatysObjective(network, to_tensor(content), [to_tensor(style)], options)
        start = inputs.start(content, [style], options)
        objective.evaluate(start)
        first[init] = objective.latest["style"]
    assert first["adain"] < 0.7 * first["content"]


def test_adains_picture_is_made_on_the_device_and_under_the_masks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    devices = []

    class Spy(Stylizer):
        def __init__(self, model: str, device: str) -> None:
            devices.append(device)
            super().__init__(model, device)

    monkeypatch.setattr(inputs, "Stylizer", Spy)
    content, styles = picture(64, 48, 0), [picture(40, 48, 1), picture(48, 40, 2)]
    left = np.zeros((48, 64, 3), np.float32)
    left[:, :32] = 1
    masks = [Picture(left), Picture(1 - left)]
    options = GatysOptions(init="adain", device="cpu", style_shares=[3, 1])
    found = inputs.start(content, styles, options, masks)
    assert devices == ["cpu"]
    stylizer = Stylizer("fast", "cpu")
    expected = stylizer.stylize(
        content,
        [stylizer.encode_style(style) for style in styles],
        style_weights=[3, 1],
        masks=[left[..., 0], 1 - left[..., 0]],
    )
    torch.testing.assert_close(found, to_tensor(expected))
    evenly = inputs.start(content, styles, options)
    assert not torch.allclose(found, evenly, atol=0.01)


SMALL = Picture(np.zeros((16, 64, 3), np.float32))


@pytest.mark.parametrize(
    ("styles", "masks", "options", "found"),
    [
        ([], None, {}, "styles: found none"),
        ([SMALL], None, {}, "style: found 64 x 16 pixels"),
        ([picture(32, 32, 0)], None, {"style_shares": [1, 1]}, "found 2 for 1 style; "),
        ([picture(32, 32, 0)], [], {}, "masks: found 0 for 1 style; "),
        ([picture(32, 32, 0)], [picture(32, 33, 0)] * 2, {}, "masks: found 2 for 1 style; "),
    ],
)
def test_bad_inputs_are_one_line(
    styles: list[Picture], masks: list[Picture] | None, options: dict[str, object], found: str
) -> None:
    with pytest.raises(AdaINError, match=found) as raised:
        optimize(picture(32, 32, 0), styles, GatysOptions(**options), masks=masks)  # type: ignore[arg-type]
    assert "\n" not in str(raised.value)
