"""The mistakes in the table of export/examples/README.md, made: what one sees is what it says."""

from collections.abc import Callable

import numpy as np
import onnxruntime
import pytest
from example_files import EXAMPLES, model_file

Floats = np.ndarray
ONE = np.ones((1, 1, 1, 1), np.float32)
MEAN = np.array([0.485, 0.456, 0.406], np.float32)[:, None, None]
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)[:, None, None]


@pytest.fixture(scope="module")
def sessions() -> dict[str, onnxruntime.InferenceSession]:
    files = {part: f"adain-fast-{part}.onnx" for part in ("style", "encoder", "decoder")}
    files |= {"whole": "adain-fast.onnx", "half": "adain-fast-decoder-fp16.onnx"}
    return {
        part: onnxruntime.InferenceSession(model_file(name), providers=["CPUExecutionProvider"])
        for part, name in files.items()
    }


@pytest.fixture
def content(photo: np.ndarray) -> np.ndarray:
    return photo[:96, :128]


def planes(picture: np.ndarray) -> Floats:
    return np.ascontiguousarray(picture.transpose(2, 0, 1)[None]).astype(np.float32) / 255


@pytest.fixture
def parts(sessions, content, painting) -> Callable[..., np.ndarray]:
    """The picture [H, W, 3] in 0 to 255 by the parts; arguments replace what is right."""

    def parts(image=None, style_image=None, decoder="decoder", **others: Floats) -> np.ndarray:
        image = planes(content) if image is None else image
        style_image = planes(painting[:96]) if style_image is None else style_image
        (style,) = sessions["style"].run(["style"], {"image": style_image})
        features, statistics = sessions["encoder"].run(["features", "statistics"], {"image": image})
        inputs = {"image": image, "features": features, "statistics": statistics, "style": style}
        inputs |= {"alpha": ONE, "strength": ONE} | others
        (found,) = sessions[decoder].run(["stylized"], inputs)
        return 255 * found[0].transpose(1, 2, 0)

    return parts


@pytest.fixture
def whole(sessions, content, painting) -> Callable[..., np.ndarray]:
    def whole(picture: np.ndarray = content, alpha: float = 1.0) -> np.ndarray:
        inputs = {"content": picture[None], "style": painting[None, :96]}
        inputs["alpha"] = np.array([alpha], np.float32)
        return sessions["whole"].run(["stylized"], inputs)[0][0]

    return whole


def test_the_parts_do_right_what_is_right(parts, whole) -> None:
    assert np.abs(parts() - whole()).max() <= 1


def test_ranges(parts, content, painting) -> None:
    right, photo, style_image = parts(), planes(content), planes(painting[:96])
    assert (parts(image=255 * photo) > 250).mean() > 0.6  # white
    loud = parts(style_image=255 * style_image)
    assert ((loud < 5) | (loud > 250)).mean() > 0.8
    around_0 = parts(image=2 * photo - 1, style_image=2 * style_image - 1)
    assert (around_0 < 5).mean() > 2 * (right < 5).mean()  # black
    normalised = parts(image=(photo - MEAN) / DEVIATION)
    assert (normalised < 5).mean() > 1.5 * (right < 5).mean()


@pytest.mark.parametrize(
    ("height", "width", "error"), [(93, 127, "Add"), (8, 8, "Pad reflect"), (96, 124, "Add")]
)
def test_sides(parts, content, height: int, width: int, error: str) -> None:
    with pytest.raises(Exception, match=error):
        parts(image=planes(content[:height, :width]))


def test_zeros_instead_of_mirroring_draw_an_edge(parts, content) -> None:
    cut, mirrored = content[:91, :123], ((0, 5), (0, 5), (0, 0))
    right = parts(image=planes(np.pad(cut, mirrored, mode="reflect")))[:91, :123]
    difference = np.abs(parts(image=planes(np.pad(cut, mirrored)))[:91, :123] - right)
    assert difference[:, -3:].mean() > 3 * difference[:, :60].mean()


def test_statistics_of_another_picture(sessions, parts, content) -> None:
    other = planes(content // 2 + 20)
    (statistics,) = sessions["encoder"].run(["statistics"], {"image": other})
    assert np.abs(parts(statistics=statistics) - parts()).mean() > 5


def test_styles_of_other_weights(sessions, parts, painting) -> None:
    (style,) = sessions["style"].run(None, {"image": planes(painting[:96])})
    other = np.random.default_rng(0).permuted(style, axis=1)
    assert np.abs(parts(style=other) - parts()).mean() > 20
    with pytest.raises(Exception, match="Got invalid dimensions for input: style"):
        parts(style=np.ones((1, 1408, 1, 1), np.float32))


def test_orders_of_channels_rows_and_planes(parts, whole, content) -> None:
    height, width, _ = content.shape
    right = whole()
    mixed = content.reshape(1, 3, height, width).astype(np.float32) / 255
    assert np.abs(parts(image=mixed) - right).mean() > 10
    copies = whole(np.ascontiguousarray(content.transpose(2, 0, 1)).reshape(height, width, 3))
    assert np.abs(copies.astype(int) - right).mean() > 10
    assert np.abs(whole(content[..., ::-1].copy()).astype(int) - right).mean() > 5
    for wrong in (content.transpose(2, 0, 1), np.dstack([content, content[..., :1]])):
        with pytest.raises(Exception, match="Got invalid dimensions for input: content"):
            whole(np.ascontiguousarray(wrong))


def test_types(sessions, parts, whole, content) -> None:
    with pytest.raises(Exception, match="Unexpected input data type"):
        whole(content.astype(np.float32))
    with pytest.raises(Exception, match="Unexpected input data type"):
        parts(decoder="half")


def test_strengths(parts, whole, content) -> None:
    assert np.array_equal(whole(alpha=80), whole())
    assert np.array_equal(whole(alpha=np.nan), content)
    assert np.abs(parts(strength=0 * ONE) - content).max() <= 1


def test_the_table_has_three_columns() -> None:
    table = (EXAMPLES / "README.md").read_text().partition("| what one sees |")[2]
    rows = table.partition("\n\n")[0].splitlines()[2:]
    assert len(rows) > 20 and {row.count("|") for row in rows} == {4}
