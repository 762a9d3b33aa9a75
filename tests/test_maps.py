"""Masks, painted strengths and kept colours, on the real model files."""

import io

import numpy as np
import pytest
from helpers import error_of
from PIL import Image

from adain import Style, Stylizer, maps, registry, weights
from adain.images import load_image
from adain.images.picture import Picture

ROUNDING = 5e-6  # of float32, through the networks
HALF = np.zeros((4, 6), bool)
HALF[:, :3] = True


@pytest.fixture(scope="module", params=registry.TRAINED)
def machine(request: pytest.FixtureRequest) -> Stylizer:
    """Each model on the CPU."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "vgg19":
            patch.setenv("ADAIN_WEIGHTS", str(request.getfixturevalue("vgg19_files")))
        return Stylizer(request.param, device="cpu")


@pytest.fixture
def given(machine: Stylizer, monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    """The latest inputs of each name that the machine's networks were given."""
    latest: dict[str, np.ndarray] = {}
    run = machine._sessions.run

    def spy(part, outputs, inputs, **options):
        latest.update(inputs)
        return run(part, outputs, inputs, **options)

    monkeypatch.setattr(machine._sessions, "run", spy)
    return latest


@pytest.fixture
def wide() -> Picture:
    """A content of 130 x 330 pixels: wide enough for places far from a border in its middle."""
    y, x = np.mgrid[0:130, 0:330]
    rgb = np.stack([y / 130, (np.sin(x / 7) + 1) / 2, x / 330], axis=-1)
    return Picture(rgb.astype(np.float32))


@pytest.fixture
def pair(machine: Stylizer, painting: np.ndarray) -> list[Style]:
    return [machine.encode_style(painting), machine.encode_style(255 - painting[::-1])]


def apart(a: Picture, b: Picture, columns: slice = slice(None)) -> float:
    return float(np.abs(a.rgb[:, columns] - b.rgb[:, columns]).max())


# Where a style goes


def test_styles_stay_on_their_sides(machine, wide, pair):
    left, right = (machine.stylize(wide, style) for style in pair)
    assert apart(left, right) > 0.2
    result = machine.stylize(wide, pair, masks=[HALF, ~HALF])
    # Nothing of the other style within what a pixel sees of its surroundings.
    assert apart(result, left, slice(0, 55)) <= ROUNDING
    assert apart(result, right, slice(275, None)) <= ROUNDING
    assert apart(result, right, slice(0, 55)) > 0.1


def test_strength_is_painted(machine, wide, pair):
    style = pair[0]
    styled, plain = (machine.stylize(wide, style, alpha) for alpha in (1, 0))
    result = machine.stylize(wide, style, HALF)
    assert apart(result, styled, slice(0, 55)) <= ROUNDING
    assert apart(result, plain, slice(275, None)) <= ROUNDING
    masked = machine.stylize(wide, style, masks=[HALF])
    assert apart(result, masked) == 0


@pytest.mark.parametrize("size", [(130, 330), (17, 31), (16, 16), (1, 7), (1, 1)])
@pytest.mark.parametrize("alpha", [0, 0.37, 1])
def test_constant_map_is_the_number(machine, wide, pair, monkeypatch, size, alpha):
    content = Picture(np.ascontiguousarray(wide.rgb[: size[0], : size[1]]))
    masks = [np.full((3, 2), 0.5), np.full((200, 9), 0.5)]
    # Full maps too, not only their short form.
    for even in (maps.is_even, lambda _: False):
        monkeypatch.setattr(maps, "is_even", even)
        number = machine.stylize(content, pair[0], alpha)
        painted = machine.stylize(content, pair[0], np.full((7, 5), alpha, np.float32))
        assert apart(number, painted) <= ROUNDING
        mixture = machine.stylize(content, 0.5 * pair[0] + 0.5 * pair[1], alpha)
        masked = machine.stylize(content, pair, alpha, masks=masks)
        assert apart(mixture, masked) <= ROUNDING


def test_constant_maps_take_no_room(machine, pair):
    vectors = np.stack([style.vector for style in pair])
    strengths = np.full((2, 64, 64), 0.25, np.float32)
    strength, style, alpha = maps.decoder_maps(strengths, vectors, 8, 8, 8)
    assert style.shape[2:] == (1, 1) and strength.tolist() == alpha.tolist() == [[[[0.5]]]]


def test_only_what_differs_is_a_map(machine, photo, pair, given):
    ramp = np.tile(np.linspace(0, 1, 32), (24, 1))
    painted = machine.stylize(photo, pair[0], ramp)
    assert given["style"].shape[2:] == (1, 1)
    assert given["alpha"].shape[2:] == given["features"].shape[2:]
    both = machine.stylize(photo, pair, ramp, masks=[ramp * 0 + 1, ramp * 0])
    assert np.abs(painted.astype(float) - both).max() <= 1
    machine.stylize(photo, pair, masks=[ramp, 1 - ramp])
    assert given["style"].shape[2:] == given["features"].shape[2:]


def test_whole_masks_are_divided_by_their_sum(machine, wide, pair):
    ones = np.ones((2, 2))
    mixed = machine.stylize(wide, 0.5 * pair[0] + 0.5 * pair[1], 0.8)
    assert apart(machine.stylize(wide, pair, 0.8, masks=[ones, ones]), mixed) <= ROUNDING


def test_what_no_mask_covers_stays_content(machine, wide, pair):
    nothing = np.zeros((2, 2), np.uint8)
    plain = machine.stylize(wide, pair[0], 0)
    assert apart(machine.stylize(wide, pair, masks=[nothing, nothing]), plain) == 0
    half = np.full((1, 1), 0.5)
    expected = machine.stylize(wide, pair[1], 0.3)
    result = machine.stylize(wide, pair, 0.6, masks=[nothing, half])
    assert apart(result, expected) <= ROUNDING


def test_decoder_gets_what_the_contract_says(machine, photo, pair, given):
    """Against the plainest way to compute the maps, pixel by pixel in float64."""
    random = np.random.default_rng(0)
    height, width = 41, 50
    content, alpha = photo[:height, :width], random.random((height, width))
    masks = random.random((2, height, width)) * [[[0.4]], [[0.9]]]
    machine.stylize(content, pair, alpha, masks=masks)
    whole, stride = machine.layout.stride, machine.layout.feature_stride
    h, w = given["features"].shape[2:]
    rows, columns = (-(-side // whole) * whole for side in (height, width))
    margin = (h - rows // stride) // 2
    assert margin == {"fast": 2, "vgg19": 0}[machine.model]
    style, strength = given["style"], given["alpha"]
    assert style.dtype == strength.dtype == np.float32
    assert (style.shape[2:], strength.shape) == ((h, w), (1, 1, h, w))
    for i, j in [(0, 0), (1, 3), (h - 1, 4), (3, w - 1), (h - 1, w - 1), (h // 2, w // 2)]:
        top = min(max(i - margin, 0), rows // stride - 1) * stride
        left = min(max(j - margin, 0), columns // stride - 1) * stride
        total = np.zeros(2)
        for y in range(top, top + stride):
            for x in range(left, left + stride):
                # Beyond the content, its mirror image.
                at = min(y, 2 * height - 2 - y), min(x, 2 * width - 2 - x)
                here = masks[:, *at]
                total += alpha[at] * here / max(1, here.sum())
        total /= stride * stride
        assert strength[0, 0, i, j] == pytest.approx(total.sum(), abs=1e-6)
        expected = (total[0] * pair[0].vector + total[1] * pair[1].vector) / total.sum()
        assert np.abs(style[0, :, i, j] - expected).max() <= 1e-4


def test_half_precision_takes_maps(stylizer, photo, painting):
    if "fast" not in weights.available_models("fp16"):
        pytest.skip("no float16 files of fast here; `python -m export --model fast` makes them")
    half = Stylizer(device="cpu", precision="fp16")
    how = {"alpha": np.linspace(0, 1, 9)[None], "masks": [HALF, ~HALF]}
    styles = [painting, painting[::-1]]
    expected = stylizer.stylize(photo, styles, **how)
    assert np.abs(half.stylize(photo, styles, **how) - expected.astype(int)).mean() <= 1


def test_features_in_a_devices_memory(stylizer, photo, painting):
    bound = Stylizer(device="cpu")
    bound._sessions._memory = "cpu"  # as on a GPU: features are OrtValues
    styles = [painting, painting[::-1]]
    expected = stylizer.stylize(photo, styles, 0.7, masks=[HALF, ~HALF])
    assert np.array_equal(bound.stylize(photo, styles, 0.7, masks=[HALF, ~HALF]), expected)


def test_dragging_a_map_runs_the_decoder_alone(runs, photo, painting):
    stylizer, counter = runs
    styles = [painting, painting[::-1]]
    for step in range(1, 4):
        mask = np.arange(12)[None] < 3 * step
        stylizer.stylize(photo, styles, mask * 0.5, masks=[mask, ~mask])
        stylizer.stylize(photo, styles, style_weights=[1, step])
        stylizer.stylize(photo, styles, colours="style")
    assert counter == {"style": 2, "encoder": 1, "decoder": 9}


# Mixtures


def test_list_is_a_mixture(stylizer, photo, painting):
    a, b = (stylizer.encode_style(picture) for picture in (painting, painting[::-1]))
    expected = stylizer.stylize(photo, 0.5 * a + 0.5 * b, 0.9)
    for styles in ([a, b], (painting, b), [painting, painting[::-1]]):
        assert np.array_equal(stylizer.stylize(photo, styles, 0.9), expected)
    expected = stylizer.stylize(photo, 0.75 * a + 0.25 * b)
    assert np.array_equal(stylizer.stylize(photo, [a, b], style_weights=(3, 1)), expected)
    alone = stylizer.stylize(photo, a)
    for styles, shares in (([a], None), ([a, b], [2, 0]), ([b, a], np.array([0, 1e-3]))):
        assert np.array_equal(stylizer.stylize(photo, styles, style_weights=shares), alone)


def test_shares_decide_where_masks_meet():
    mask = np.array([[1, 1, 0.5, 0.2, 0]], np.float32)
    other = np.array([[0, 1, 0.5, 0.2, 0]], np.float32)
    strengths = maps.style_strengths(1.0, [mask, other], [0.75, 0.25], 5, 1)
    expected = [[1, 0.75, 0.75, 0.3, 0], [0, 0.25, 0.25, 0.1, 0]]
    assert np.allclose(strengths[:, 0], expected, atol=1e-6)
    strengths = maps.style_strengths(0.5, [mask, other], [1, 0], 5, 1)
    assert np.array_equal(strengths[:, 0], [mask[0] / 2, 0 * mask[0]])
    tiny = maps.style_strengths(1.0, [0 * mask, other], [1, 1e-42], 5, 1)
    assert np.isfinite(tiny).all()


def test_weights_of_any_scale():
    assert maps.shares(None, 4) == [0.25] * 4
    for scale in (1, 1e-300, 1e308):
        assert np.allclose(maps.shares([0.5 * scale, scale], 2), [1 / 3, 2 / 3])


# Maps of many kinds


@pytest.mark.parametrize("kind", ["bool", "uint8", "float64", "3d", "path", "bytes", "1", "LA"])
def test_kinds_of_maps(stylizer, photo, painting, tmp_path, kind):
    levels = HALF.astype(np.uint8) * 255
    image = Image.fromarray(levels)
    image.save(tmp_path / "mask.png")
    hidden = Image.merge("LA", [Image.new("L", image.size, 255), image])  # white, but transparent
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    sources = {
        "bool": HALF,
        "uint8": levels,
        "float64": HALF.astype(float),
        "3d": levels[..., None].repeat(3, axis=2),
        "path": tmp_path / "mask.png",
        "bytes": buffer.getvalue(),
        "1": image.convert("1"),
        "LA": hidden,
    }
    source = sources[kind]
    style = stylizer.encode_style(painting)
    expected = stylizer.stylize(photo, style, HALF)
    assert np.array_equal(stylizer.stylize(photo, style, masks=[source]), expected)
    if kind != "3d":
        assert np.array_equal(stylizer.stylize(photo, style, source), expected)
    assert maps.load_map(source, "it").dtype == np.float32
    assert np.array_equal(maps.load_map(source, "it"), HALF)


def test_masks_in_one_array(stylizer, photo, painting):
    styles = [painting, painting[::-1]]
    expected = stylizer.stylize(photo, styles, masks=[HALF, ~HALF])
    assert np.array_equal(stylizer.stylize(photo, styles, masks=np.stack([HALF, ~HALF])), expected)


def test_maps_are_stretched_without_overshoot():
    mask = np.zeros((2, 40), np.float32)
    mask[:, 20:] = 1
    for width, height in [(300, 7), (17, 31)]:
        row = maps.style_strengths(mask, None, [1], width, height)
        assert row.shape == (1, height, width)
        assert row.min() == 0 and row.max() == 1 and (np.diff(row, axis=2) >= 0).all()
        assert (row[..., : width // 2 - width // 20 - 1] == 0).all()


def test_maps_fit_the_content_brought_down(stylizer, photo, painting):
    small = stylizer.stylize(photo, painting, HALF, max_side=64)
    assert small.shape == (48, 64, 3)
    picture = load_image(photo, max_side=64)
    again = stylizer.stylize(picture, painting, HALF).to_array()
    assert np.array_equal(small, again)


# Colours


def test_colours_with_masks_and_alpha_channel(stylizer, photo, painting):
    content = np.dstack([photo, photo[..., 0]])
    styles = [painting, painting[::-1]]
    for colours in ("style", "matched", "luminance"):
        result = stylizer.stylize(content, styles, 0.8, masks=[HALF, ~HALF], colours=colours)
        assert np.array_equal(result[..., 3], photo[..., 0])


def test_style_size(stylizer, photo, painting):
    for side in (32, None):
        expected = stylizer.stylize(photo, stylizer.encode_style(painting, max_side=side))
        assert np.array_equal(stylizer.stylize(photo, painting, style_size=side), expected)


# What fails

NAN = np.full((2, 2), np.nan)
MASKS = "masks: found "
MISTAKES = {
    "one mask for two": ({"masks": [HALF]}, "masks: found 1 for 2 styles; allowed: one for each"),
    "three masks": ({"masks": [HALF] * 3}, "masks: found 3 for 2 styles; "),
    "no masks": ({"masks": []}, "masks: found 0 for 2 styles; "),
    "a mask alone": ({"masks": HALF}, "masks: found a single ndarray; allowed: a list"),
    "a path alone": ({"masks": "mask.png"}, "masks: found a single str; "),
    "not masks": ({"masks": 1}, "masks: found a single int; "),
    "NaN in a mask": ({"masks": [HALF, NAN]}, "mask 2: the array: found float64 NaN or infinity; "),
    "mask above 1": ({"masks": [HALF * 2.0, HALF]}, "mask 1: the array: found float64 values in ["),
    "mask below 0": ({"masks": [HALF, HALF * -0.5]}, "mask 2: the array: found float64 values in"),
    "empty mask": ({"masks": [HALF, HALF[:0]]}, "mask 2: the array: found bool [0, 6]; "),
    "flat mask": ({"masks": [HALF, HALF[0]]}, "mask 2: the array: found bool [6]; "),
    "mask of integers": ({"masks": [HALF, HALF.astype(int)]}, "mask 2: the array: found int64 "),
    "mask missing": ({"masks": [HALF, "no.png"]}, "mask 2: no.png: found "),
    "no mask": ({"masks": [None, HALF]}, "mask 1: the image: found a builtins.NoneType; "),
    "alpha in colours": ({"alpha": np.ones((4, 5, 3))}, "alpha: found an array [4, 5, 3]; "),
    "alpha flat": ({"alpha": np.ones(4)}, "alpha: found an array [4]; "),
    "alpha NaN": ({"alpha": NAN}, "alpha: the array: found float64 NaN or infinity; "),
    "alpha above 1": ({"alpha": 1.5 * np.ones((2, 2))}, "alpha: the array: found float64 values "),
    "alpha empty": ({"alpha": np.ones((0, 2))}, "alpha: the array: found float64 [0, 2]; "),
    "alpha missing": ({"alpha": "no.png"}, "alpha: no.png: found a file that cannot be opened "),
    "no styles": ({"style": []}, "style: found an empty list; allowed: one style or more"),
    "a style of None": ({"style": [None]}, "the image: found a builtins.NoneType; "),
    "three weights": ({"style_weights": [1] * 3}, "style weights: found 3 for 2 styles; "),
    "no weights": ({"style_weights": []}, "style weights: found 0 for 2 styles; "),
    "weights of 0": ({"style_weights": [0, 0]}, "style weights: found [0.0, 0.0]; allowed: "),
    "weight below 0": ({"style_weights": [2, -1]}, "style weights: found [2.0, -1.0]; "),
    "NaN as weight": ({"style_weights": [1, np.nan]}, "style weights: found [1.0, nan]; "),
    "words as weights": ({"style_weights": ["a", "b"]}, "style weights: found ['a', 'b']; "),
    "one weight bare": ({"style_weights": 1}, "style weights: found 1; "),
    "unknown colours": ({"colours": "grey"}, "colours: found 'grey'; allowed: style, matched or "),
    "no colours": ({"colours": None}, "colours: found None; "),
    "style_size 0": ({"style_size": 0}, "style_size: found 0; "),
    "style_size a word": ({"style_size": "big"}, "style_size: found 'big'; "),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake(runs, photo, painting, mistake):
    stylizer, counter = runs
    how, start = MISTAKES[mistake]
    arguments = {"style": [painting, painting[::-1]]} | how
    for call in (
        lambda: stylizer.stylize(photo, **arguments),
        lambda: stylizer.stylize(load_image(photo), **arguments),
    ):
        message = error_of(call)
        assert message.startswith(start) and "; allowed: " in message
    assert not counter


def test_matching_needs_a_picture(stylizer, photo, painting):
    style = stylizer.encode_style(painting)
    for given in (style, [painting, style]):
        message = error_of(lambda given=given: stylizer.stylize(photo, given, colours="matched"))
        assert message.startswith("style: found a Style with colours 'matched'; allowed: a picture")


def test_wrong_style_in_a_list(stylizer, photo, painting):
    other = Style(np.ones(3, np.float32), "vgg19")
    message = error_of(lambda: stylizer.stylize(photo, [painting, other]))
    assert message.startswith("style: found one encoded by model 'vgg19'; allowed: ")


def test_inputs_are_not_changed(stylizer, photo, painting):
    masks = [HALF.astype(np.float32), np.ones((96, 128), np.float32)]
    alpha = np.full((96, 128), 0.5, np.float32)
    before = [array.copy() for array in (*masks, alpha)]
    stylizer.stylize(photo, [painting, painting[::-1]], alpha, masks=masks, style_weights=[1, 3])
    assert all(map(np.array_equal, before, (*masks, alpha)))


@pytest.mark.parametrize("level", [0.3, 0.1, 0.7, 1 / 3])
def test_a_map_keeps_its_numbers(level):
    exactly = np.float32(level)
    for array in (np.full((2, 3), level), np.full((2, 3, 1), exactly), np.full((2, 3, 3), level)):
        assert (maps.load_map(array, "map") == exactly).all()
        assert (maps.load_map(load_image(array), "map") == exactly).all()
