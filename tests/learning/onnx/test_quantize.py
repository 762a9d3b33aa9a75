"""8 bits against float32: the calibration, the graphs, and what is kept."""

import dataclasses
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from helpers import error_of
from onnx import ModelProto, TensorProto, helper, numpy_helper

from adain import Stylizer, registry, weights
from adain.cli.main import cli
from adain.cli.run import run
from adain.images import save_image
from adain.learning.onnx import calibration, quantize
from adain.learning.onnx.calibration import Network, choose_levels, observe
from adain.learning.onnx.qdq import quantize_network
from adain.learning.onnx.storage import stored_in_full
from adain.providers import quiet_options

Array = npt.NDArray[np.float32]


def session(model: ModelProto, optimized: Path | None = None) -> onnxruntime.InferenceSession:
    options = quiet_options()
    if optimized is not None:
        options.optimized_model_filepath = str(optimized)
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def network(kernels: list[Array], *, pool: bool = False, resize: bool = False) -> ModelProto:
    """Reflection-padded 3x3 convolutions in a row, ReLU between; ``image`` to ``picture``."""
    pads = numpy_helper.from_array(np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64), "pads")
    twice = numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "twice")
    constants, nodes, value = [pads, twice], [], "image"

    def add(kind: str, output: str, *inputs: str, **about: object) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], name=output, **about))
        return output

    for i, kernel in enumerate(kernels):
        bias = np.linspace(-0.2, 0.3, len(kernel), dtype=np.float32)
        constants += [
            numpy_helper.from_array(kernel, f"kernel{i}"),
            numpy_helper.from_array(bias, f"bias{i}"),
        ]
        if i == 1 and pool:
            value = add("MaxPool", "pooled", value, kernel_shape=[2, 2], strides=[2, 2])
        if i == 1 and resize:
            value = add("Resize", "resized", value, "", "twice", mode="linear")
        value = add("Pad", f"padded{i}", value, "pads", mode="reflect")
        last = i == len(kernels) - 1
        value = add("Conv", "picture" if last else f"conv{i}", value, f"kernel{i}", f"bias{i}")
        if not last:
            value = add("Relu", f"relu{i}", value)
    graph = helper.make_graph(
        nodes,
        "network",
        [
            helper.make_tensor_value_info(
                "image", TensorProto.FLOAT, ["N", kernels[0].shape[1], "h", "w"]
            )
        ],
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["N", None, None, None])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def kernels(*channels: int, seed: int = 0) -> list[Array]:
    generator = np.random.default_rng(seed)
    return [
        (generator.normal(size=(o, i, 3, 3)) / np.sqrt(4.5 * i)).astype(np.float32)
        for i, o in pairwise(channels)
    ]


def images(count: int, seed: int, size: int = 32) -> list[Array]:
    """Colours that change slowly, with some grain."""
    generator = np.random.default_rng(seed)
    drawn = []
    for _ in range(count):
        coarse = generator.random((1, 3, 4, 4)).repeat(size // 4, 2).repeat(size // 4, 3)
        drawn.append((0.8 * coarse + 0.2 * generator.random(coarse.shape)).astype(np.float32))
    return drawn


def relative_error(model: ModelProto, chosen: list[str] | None = None) -> float:
    """Of 8 bits on pictures that were not calibrated on, relative to the outputs' deviation."""
    parts = Network(model, chosen)
    quantized = quantize_network(
        parts, observe(parts, [{"image": image} for image in images(8, 1)])
    )
    ours, theirs = session(quantized), session(model)
    differences, outputs = [], []
    for image in images(3, 2):
        expected = theirs.run(None, {"image": image})[0]
        outputs.append(expected)
        differences.append(ours.run(None, {"image": image})[0] - expected)
    return float(np.std(differences) / np.std(outputs))


@pytest.mark.parametrize("between", ["", "pool", "resize"])
def test_a_network_in_8_bits_computes_what_it_did(between: str) -> None:
    model = network(kernels(3, 16, 24, 8), **({between: True} if between else {}))
    assert 1e-4 < relative_error(model) < 0.03


def test_some_convolutions_in_8_bits_leave_the_others_in_float32() -> None:
    model = network(kernels(3, 16, 24, 8), resize=True)
    parts = Network(model, ["conv0"])
    quantized = quantize_network(
        parts, observe(parts, [{"image": image} for image in images(4, 1)])
    )
    stored = {tensor.name: tensor.data_type for tensor in quantized.graph.initializer}
    assert stored["kernel0/codes"] == TensorProto.INT8
    assert stored["bias0/codes"] == TensorProto.INT32
    assert stored["kernel1"] == TensorProto.FLOAT
    assert "kernel0" not in stored
    assert relative_error(model, ["conv0"]) < relative_error(model)


def test_weak_channels_keep_their_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some channels a thirtieth as strong as others, which the next kernels make up for."""
    first, second = kernels(3, 32, 8)
    strength = np.geomspace(1, 1 / 30, 32, dtype=np.float32)
    model = network([first * strength[:, None, None, None], second / strength[:, None, None]])
    evened = relative_error(model)
    monkeypatch.setattr(calibration, "_even", lambda network, reach, readers: np.ones(len(reach)))
    assert evened < 0.5 * relative_error(model)


def test_levels_span_what_was_seen() -> None:
    model = network(kernels(3, 16, 8))
    parts = Network(model)
    seen = observe(parts, [{"image": image} for image in images(4, 1)])
    levels = choose_levels(parts, seen)
    assert set(levels) == {"image", "relu0", "picture"}
    assert levels["relu0"].zero == 0
    for name, level in levels.items():
        codes = np.array([0, 255]) - level.zero
        ends = level.offset + level.factor * level.scale * codes[:, None]
        step = level.factor * level.scale
        assert (ends[0] <= seen.low[name] + step).all()
        assert (ends[1] >= seen.high[name] - step).all()


def test_a_kernel_of_zeros_keeps_its_bias() -> None:
    first, second = kernels(3, 16, 4)
    second[1] = 0
    model = network([first, second])
    parts = Network(model)
    quantized = quantize_network(
        parts, observe(parts, [{"image": image} for image in images(4, 1)])
    )
    image = images(1, 2)[0]
    expected = session(model).run(None, {"image": image})[0]
    found = session(quantized).run(None, {"image": image})[0]
    assert np.abs(found[:, 1] - expected[:, 1]).max() < 0.02


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Eight photos and eight paintings, smooth and striped."""
    root = tmp_path_factory.mktemp("pictures")
    generator = np.random.default_rng(0)
    y, x = np.mgrid[0:72, 0:80]
    for side in ("content", "style"):
        (root / side).mkdir()
        for i in range(8):
            a, b, phase = generator.uniform(0.02, 0.4, 3)
            wave = np.sin(a * x + 9 * phase) * np.cos(b * y)
            wave = wave if side == "content" else np.sign(wave)
            colours = generator.uniform(-100, 100, 3)
            pixels = 128 + wave[..., None] * colours + generator.normal(0, 6, (72, 80, 3))
            save_image(pixels.clip(0, 255).astype(np.uint8), root / side / f"{i}.png")
    return root / "content", root / "style"


def test_pairs_are_the_same_each_time_and_held_out_ones_are_others(
    folders: tuple[Path, Path],
) -> None:
    seen = quantize.draw_pairs(*folders, 4, 64, 0, held_out=False)
    again = quantize.draw_pairs(*folders, 4, 64, 0, held_out=False)
    held = quantize.draw_pairs(*folders, 4, 64, 0, held_out=True)
    for pair, same, other in zip(seen, again, held, strict=True):
        for image, copy, different in zip(pair, same, other, strict=True):
            assert image.shape == (1, 3, 64, 64)
            assert image.dtype == np.float32
            assert 0 <= image.min() < image.max() <= 1
            assert np.array_equal(image, copy)
            assert not np.array_equal(image, different)


def test_every_fourth_pair_is_given_grain() -> None:
    plain = [(image, image) for image in images(5, 0)]
    changed = quantize.with_grain(plain)
    assert [not np.array_equal(a[0], b[0]) for a, b in zip(plain, changed, strict=True)] == [
        True, False, False, False, True,
    ]  # fmt: skip
    for pair in changed:
        for image in pair:
            assert image.dtype == np.float32
            assert 0 <= image.min() <= image.max() <= 1
    assert not np.array_equal(*changed[0])


def test_too_few_pictures_are_one_line(tmp_path: Path) -> None:
    save_image(np.zeros((64, 64, 3), np.uint8), tmp_path / "one.png")
    message = error_of(lambda: quantize.draw_pairs(tmp_path, tmp_path, 4, 64, 0, held_out=True))
    assert message == f"{tmp_path}: found 1 image; allowed: 2 or more, one is held out"


OPTIONS = {"pictures": 3, "held_out": 2, "side": 64, "runs": 2}


def test_files_that_do_not_pay_are_not_kept(
    folders: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(quantize, "FASTER", 1000.0)
    options = [f"--{name.replace('_', '-')}={value}" for name, value in OPTIONS.items()]
    output = tmp_path / "made"
    arguments = ["quantize", *map(str, folders), "--model", "fast", "-o", str(output), *options]
    assert run(cli, arguments) == quantize.NOT_KEPT
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:5]] == ["both", "encoder", "decoder"]
    assert lines[-1].startswith("fast: ")
    assert "nothing is kept" in lines[-1]
    assert list(output.iterdir()) == []


def test_a_missing_whole_file_is_found_out_before_the_calibration(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "weights"
    here.mkdir()
    for path in weights.find_model("fast").values():
        (here / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(weights, "search_folders", lambda: [here])
    monkeypatch.setattr(quantize, "build", lambda *arguments: pytest.fail("calibrated"))
    message = error_of(lambda: quantize.quantize_model("fast", *folders, tmp_path, **OPTIONS))
    assert weights.onnx_file("fast", "whole") in message and "python -m export" in message


def test_files_that_pay_run_like_those_of_float32(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On any machine: the limits, which this one may not meet, are put out of reach."""
    monkeypatch.setattr(quantize, "FASTER", 0.0)
    monkeypatch.setattr(quantize, "MEAN_STEPS", 255.0)
    comparison, kept = quantize.quantize_model("fast", *folders, tmp_path, **OPTIONS)
    assert [path.name for path in kept] == [
        weights.onnx_file("fast", part, "int8") for part in ("encoder", "decoder", "whole")
    ]
    # Three pictures are few to calibrate on, and those of the comparison are others.
    assert comparison.mean() < 25
    for path in kept:
        part = path.stem.removeprefix("adain-fast").strip("-").removesuffix("int8").strip("-")
        ours = onnx.load(path)
        onnx.checker.check_model(ours, full_check=True)
        theirs = onnx.load(weights.find(weights.onnx_file("fast", part or "whole"), get=""))
        assert ours.graph.input == theirs.graph.input
        assert ours.graph.output == theirs.graph.output
        assert ours.opset_import == theirs.opset_import
        noted = {entry.key: entry.value for entry in theirs.metadata_props}
        assert {e.key: e.value for e in ours.metadata_props} == {**noted, "precision": "int8"}
    row = dataclasses.replace(registry.BUILT_IN["fast"], precisions=registry.PRECISIONS)
    monkeypatch.setitem(registry.BUILT_IN, "fast", row)
    monkeypatch.setenv("ADAIN_WEIGHTS", str(tmp_path))
    ours_, theirs_ = (Stylizer(device="cpu", precision=p) for p in ("int8", "fp32"))
    pair = quantize.draw_pairs(*folders, 1, 256, 0, held_out=False)[0]
    photo, painting = (
        np.rint(255 * image[0].transpose(1, 2, 0)).astype(np.uint8) for image in pair
    )
    found, expected = (s.stylize(photo, painting).astype(float) for s in (ours_, theirs_))
    assert 0 < np.abs(found - expected).mean() < 12
    # The file for other programs is the same parts: as they are written, before each is optimised
    # in a way of its own and 8 bits are rounded in other places, they agree.
    encoder, decoder, whole = map(plain_session, kept)
    style = plain_session(weights.find_model("fast")["style"])
    content, image = (
        np.ascontiguousarray(a.transpose(2, 0, 1)[None]) / np.float32(255)
        for a in (photo, painting)
    )
    features, statistics = encoder.run(None, {"image": content})
    (vector,) = style.run(None, {"image": image})
    alpha = np.ones((1, 1, 1, 1), np.float32)
    feeds = {"features": features, "statistics": statistics, "style": vector, "alpha": alpha}
    feeds |= {"image": content, "strength": alpha}
    (parts,) = decoder.run(None, feeds)
    feeds = {"content": photo[None], "style": painting[None], "alpha": alpha.reshape(1)}
    (stylized,) = whole.run(None, feeds)
    assert np.abs(stylized[0] - 255 * parts[0].transpose(1, 2, 0)).mean() < 0.3


def plain_session(file: Path) -> onnxruntime.InferenceSession:
    options = quiet_options()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def test_vgg19_runs_its_convolutions_on_integers(
    folders: tuple[Path, Path], tmp_path: Path, vgg19_files: Path
) -> None:
    """ONNX Runtime makes integer convolutions of the encoder's, and floats of its outputs alone."""
    pairs = quantize.draw_pairs(*folders, 2, 64, 0, held_out=False)
    encoder = stored_in_full(onnx.load(vgg19_files / weights.onnx_file("vgg19", "encoder")))
    parts = Network(encoder)
    feeds = [{"image": image} for pair in pairs for image in pair]
    quantized = quantize_network(parts, observe(parts, feeds, patches=50))
    session(quantized, tmp_path / "optimized.onnx")
    kinds = [node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node]
    assert kinds.count("QLinearConv") == 9
    assert kinds.count("Conv") == 0
    # Back to float for the four layers whose statistics are taken, and nowhere else.
    assert (kinds.count("QuantizeLinear"), kinds.count("DequantizeLinear")) == (1, 4)
    image = pairs[0][0]
    expected, found = (session(m).run(None, {"image": image})[0] for m in (encoder, quantized))
    assert np.abs(found - expected).mean() < 0.1 * expected.std()
