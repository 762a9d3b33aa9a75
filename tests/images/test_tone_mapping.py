"""PQ and HLG as an ordinary display shows them."""

import numpy as np
import pytest

from adain.images.tone_mapping import WHITE, hlg_to_light, light_to_pq, pq_to_light, to_sdr


def test_the_curves_of_bt_2100():
    signal = np.array([0, 0.5806, 0.7518, 1], np.float32)
    np.testing.assert_allclose(pq_to_light(signal), [0, 203, 1000, 10_000], rtol=2e-3, atol=1e-6)
    np.testing.assert_allclose(light_to_pq(pq_to_light(signal)), signal, atol=1e-4)
    np.testing.assert_allclose(
        hlg_to_light(np.array([0, 0.5, 0.75, 1], np.float32)), [0, 1 / 12, 0.265, 1], atol=1e-3
    )


def test_what_is_no_brighter_than_white_stays():
    light = np.linspace(0, WHITE, 50, dtype=np.float32)[:, None].repeat(3, axis=1)
    np.testing.assert_allclose(to_sdr(light, WHITE, scene=False), light / WHITE, rtol=1e-6)


@pytest.mark.parametrize("peak", [250.0, 1000.0, 4000.0, 10_000.0])
def test_highlights_are_rolled_off(peak):
    light = np.linspace(0, peak, 5000, dtype=np.float32)[:, None].repeat(3, axis=1)
    shown = to_sdr(light, peak, scene=False)[:, 0]
    assert (np.diff(shown) >= -1e-4).all(), "a brighter pixel is shown darker"
    assert shown[-1] == pytest.approx(1, abs=5e-3)
    dark = light[:, 0] < 20
    np.testing.assert_allclose(shown[dark], light[dark, 0] / WHITE, rtol=1e-3, atol=1e-5)


def test_hue_stays():
    light = np.array([[900, 300, 90]], np.float32)
    shown = to_sdr(light, 900, scene=False)[0]
    np.testing.assert_allclose(shown / shown[0], [1, 1 / 3, 0.1], rtol=1e-4)


def test_white_of_hlg():
    """At 75 % it is 203 cd/m2 on a display of 1000, where nothing is brighter."""
    signal = np.full((1, 3), 0.75, np.float32)
    shown = to_sdr(hlg_to_light(signal), float(hlg_to_light(signal)[0, 0]), scene=True)
    np.testing.assert_allclose(shown, 1, atol=0.02)
