"""Files for one size of pictures, and in older opsets."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from helpers import error_of

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

import onnx
from onnx import ModelProto

from adain import Stylizer
from adain.cli.export import export as command
from adain.cli.run import run
from adain.contract import Key
from adain.learning.models.fast import Fast
from adain.learning.onnx import export, fixed
from adain.learning.onnx.describe import describe
from adain.learning.onnx.export import Part, open_model

SIZE = (50, 37)  # width, height
OPSET = 13


@pytest.fixture(scope="module")
def parts() -> dict[tuple[str, ...], ModelProto]:
    """What `made` exported of `fast`, by the names of inputs and outputs."""
    return {}


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory, parts: dict[tuple[str, ...], ModelProto]
) -> dict[str, Path]:
    """`fast`'s files in float32, by part."""
    folder = tmp_path_factory.mktemp("fixed")

    def export_part(part: Part, model: Fast) -> ModelProto:
        exported = parts[*part.inputs, *part.outputs] = export.export_part(part, model)
        return exported

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fixed, "in_precisions", lambda model: [("fp32", model)])
        patch.setattr(fixed, "export_part", export_part)
        paths = fixed.export_fixed("fast", folder, SIZE, opset=OPSET)
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in paths)
    return {describe(path).metadata["part"]: path for path in paths}


def test_names_and_shapes(made: dict[str, Path]) -> None:
    assert {path.name for path in made.values()} == {
        f"adain-fast{part}-50x37-opset13.onnx" for part in ("", "-encoder", "-decoder", "-style")
    }
    whole = describe(made["whole"])
    assert whole.inputs == {
        "content": ("uint8", (1, 37, 50, 3)),
        "style": ("uint8", (1, 37, 50, 3)),
        "alpha": ("float32", (1,)),
    }
    assert whole.outputs == {"stylized": ("uint8", (1, 37, 50, 3))}
    assert (whole.opset, whole.metadata["size"], whole.metadata["opset"]) == (13, "50x37", "13")
    decoder = describe(made["decoder"])
    assert decoder.inputs["image"] == ("float32", (1, 3, 40, 56))
    assert decoder.inputs["features"] == ("float32", (1, 96, 14, 18))
    assert decoder.inputs["strength"] == decoder.inputs["alpha"] == ("float32", (1, 1, 1, 1))


def test_they_hold_no_shape_arithmetic_and_run_in_their_opset(made: dict[str, Path]) -> None:
    for path in made.values():
        model: ModelProto = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        assert [entry.version for entry in model.opset_import] == [OPSET]
        assert not {n.op_type for n in model.graph.node} & {"Shape", "Range", "Mod", "Squeeze"}


def test_the_whole_gives_what_the_stylizer_gives(
    made: dict[str, Path], stylizer: Stylizer, photo: np.ndarray, painting: np.ndarray
) -> None:
    content, style = photo[:37, :50], painting[:37, :50]
    opened = onnxruntime.InferenceSession(made["whole"], providers=["CPUExecutionProvider"])
    for alpha in (0, 0.05, 0.7, 1):
        feeds = {"content": content[None], "style": style[None]}
        (found,) = opened.run(None, feeds | {"alpha": np.array([alpha], np.float32)})
        expected = stylizer.stylize(content, style, alpha)
        assert np.abs(found[0].astype(int) - expected).max() <= 1
    assert np.array_equal(
        opened.run(None, feeds | {"alpha": np.zeros(1, np.float32)})[0][0], content
    )


@pytest.mark.usefixtures("made")
def test_a_file_that_differs_is_not_kept(
    parts: dict[tuple[str, ...], ModelProto], monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(model: ModelProto, opset: int) -> ModelProto:
        copy = in_opset(model, opset)
        tensor = next(t for t in copy.graph.initializer if list(t.dims)[1:] == [3, 5, 5])
        values = onnx.numpy_helper.to_array(tensor) * np.float32(1.1)
        tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
        return copy

    in_opset = fixed.in_opset
    model, about = open_model("fast", None)
    monkeypatch.setattr(fixed, "export_part", lambda part, _: parts[*part.inputs, *part.outputs])
    monkeypatch.setattr(fixed, "in_opset", faulty)
    message = error_of(lambda: fixed.build_fixed(model, about | {Key.PRECISION: "fp32"}, (16, 16)))
    assert message.startswith("the encoder of one size gives another features than that of all")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--size", "8x512"], "each 16 to 8192"),
        (["--size", "512x512x512"], "Allowed: WIDTHxHEIGHT"),
        (["--size", "axb"], "Allowed: WIDTHxHEIGHT"),
        (["--opset", "17"], "--opset with --size"),
        (["--size", "64", "--opset", "12"], "'--opset'"),
    ],
)
def test_mistakes_are_one_line(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command, ["--model", "fast", "-o", str(tmp_path / "out"), *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()
