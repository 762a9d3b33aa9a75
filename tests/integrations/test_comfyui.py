"""ComfyUI's nodes, loaded from their folder and called as ComfyUI loads and calls them."""

import importlib.util
import inspect
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import error_of

torch = pytest.importorskip("torch", reason="ComfyUI's images are tensors of PyTorch")

from adain import Style, Stylizer
from adain.drawings import catalog
from adain.images import Picture

FOLDER = Path(__file__).resolve().parents[2] / "integrations" / "comfyui"


@pytest.fixture(scope="module")
def nodes() -> dict[str, Any]:
    name = str(FOLDER).replace(".", "_x_")
    spec = importlib.util.spec_from_file_location(name, FOLDER / "__init__.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.NODE_DISPLAY_NAME_MAPPINGS.keys() == module.NODE_CLASS_MAPPINGS.keys()
    yield module.NODE_CLASS_MAPPINGS
    del sys.modules[name]


@pytest.fixture
def call(nodes):
    def call(called: str, /, **given: Any) -> Any:
        """The first output; what is not given has the default of the form."""
        node = nodes[called]()
        form = node.INPUT_TYPES()
        for key, (kind, *more) in form["required"].items():
            if key not in given:
                given[key] = more[0]["default"] if "default" in more[0] else kind[0]
        assert given.keys() <= form["required"].keys() | form.get("optional", {}).keys()
        return getattr(node, node.FUNCTION)(**given)[0]

    return call


@pytest.fixture
def images(photo):
    """Two of them, as ComfyUI has them."""
    both = np.stack([photo, photo[::-1]]).astype(np.float32) / 255
    return torch.from_numpy(both)


@pytest.fixture
def style(call, painting):
    return call("AdaINStyleFromImage", image=torch.from_numpy(painting[None] / 255))


def test_the_forms_are_those_of_the_functions(nodes):
    for node in nodes.values():
        form = node.INPUT_TYPES()
        inputs = [*form["required"], *form.get("optional", {})]
        assert list(inspect.signature(getattr(node, node.FUNCTION)).parameters)[1:] == inputs
        assert len(node.RETURN_TYPES) == len(node.RETURN_NAMES) and node.CATEGORY
        assert node.DESCRIPTION and "\n" not in node.DESCRIPTION
        for kind, *more in {**form["required"], **form.get("optional", {})}.values():
            assert kind in ("IMAGE", "ADAIN_STYLE") or more[0]["tooltip"]


def test_a_batch_is_stylized_without_rounding(call, images, style):
    found = call("AdaINStylize", image=images, style=style, strength=0.8, device="cpu")
    assert found.shape == images.shape and found.dtype == torch.float32
    stylizer = Stylizer("fast", "cpu")
    for each, image in zip(found.numpy(), images.numpy(), strict=True):
        expected = stylizer.stylize(Picture(image.copy()), style, 0.8).rgb
        assert np.abs(each - expected).max() < 1e-5
    assert len(np.unique(found.numpy())) > 1000


def test_where_the_mask_is_0_the_image_stays(call, images, style):
    mask = torch.zeros(images.shape[1:3])
    mask[:, : mask.shape[1] // 2] = 1
    found = call("AdaINStylize", image=images, style=style, mask=mask)
    right = mask.shape[1] // 2 + 16
    assert torch.equal(found[:, :, right:], images[:, :, right:])
    assert (found[:, :, : right - 32] - images[:, :, : right - 32]).abs().mean() > 0.05
    each = torch.stack([mask, torch.zeros_like(mask)])
    found = call("AdaINStylize", image=images, style=style, mask=each)
    assert torch.equal(found[1], images[1]) and not torch.equal(found[0], images[0])


def test_styles_of_images_files_and_the_gallery_are_mixed(call, style, tmp_path, painting):
    expected = Stylizer("fast", "cpu").encode_style(painting)
    assert np.allclose(style.vector, expected.vector, atol=1e-4)
    expected.save(tmp_path / "own.style")
    own = call("AdaINLoadStyle", path=str(tmp_path / "own.style"))
    name = list(catalog.STYLES)[1]
    wave = call("AdaINGalleryStyle", name=name, device="cpu")
    mixed = call("AdaINMixStyles", first=own, second=wave, share=0.25)
    assert isinstance(mixed, Style)
    assert np.allclose(mixed.vector, 0.75 * own.vector + 0.25 * wave.vector, atol=1e-6)
    for share, alone in ((0.0, own), (1.0, wave)):
        found = call("AdaINMixStyles", first=own, second=wave, share=share)
        assert np.array_equal(found.vector, alone.vector)


def test_mistakes_are_one_line(call, images, style):
    def told(**given):
        return error_of(lambda: call("AdaINStylize", image=images, style=style, **given))

    assert "mask: found [3, 4, 5]; allowed: [H, W], [1, H, W] or [2, H, W]" in told(
        mask=torch.zeros(3, 4, 5)
    )
    assert "device: found 'cuda'" in told(device="cuda") or torch.cuda.is_available()
    for shape in ((4, 5), (0, 4, 5, 3), (1, 4, 0, 3)):
        assert f"image: found a tensor {list(shape)}; allowed: [B, H, W, 3]" in error_of(
            lambda shape=shape: call("AdaINStyleFromImage", image=torch.zeros(shape))
        )
    assert "image: found a tensor [0, " in error_of(
        lambda: call("AdaINStylize", image=images[:0], style=style)
    )
    broken = images.clone()
    broken[1, 2, 3] = torch.nan
    for given in ({"called": "AdaINStylize", "style": style}, {"called": "AdaINStyleFromImage"}):
        name = given.pop("called")
        found = error_of(lambda name=name, given=given: call(name, image=broken, **given))
        assert found.startswith("image 2 of 2: found NaN")
