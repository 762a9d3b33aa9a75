"""Exported files: the contract of design, proven against torch with the shipped weights."""

import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest
from exporting import serving_vgg19

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

import onnx
from safetensors.torch import load_file, save_file

from adain import Stylizer, registry, weights
from adain.cli.run import run
from adain.errors import AdaINError
from adain.learning.models import pretrained
from adain.learning.models.fast import Fast
from adain.learning.onnx import export, importing
from adain.learning.onnx.parity import ParityReport, byte_steps, measure_parity
from adain.learning.onnx.parity_cases import CASES, HOSTILE, Case, cases
from adain.published import PUBLISHED_VGG19
from adain.style import VGG19_STATISTICS

Bytes = npt.NDArray[np.uint8]
PARTS = {
    "fast": ("encoder", "decoder", "style", "whole"),
    "vgg19": ("encoder", "decoder", "whole"),
}
PRECISIONS = ("fp32", "fp16")


@pytest.fixture(params=list(PARTS))
def model(request: pytest.FixtureRequest, exported: dict[str, Path]) -> str:
    name: str = request.param
    if name not in exported:
        pytest.skip(f"no {PUBLISHED_VGG19.names[0]} on this machine; {PUBLISHED_VGG19.get}")
    return name


@pytest.fixture
def files(model: str, exported: dict[str, Path]) -> dict[str, Path]:
    return files_of(model, exported, "fp32")


def files_of(model: str, exported: dict[str, Path], precision: str) -> dict[str, Path]:
    folder = exported[model]
    return {part: folder / weights.onnx_file(model, part, precision) for part in PARTS[model]}


def session(file: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])


def shapes(values: list[onnxruntime.NodeArg]) -> dict[str, list[str | int]]:
    return {value.name: value.shape for value in values}


def test_the_spread_of_cases() -> None:
    spread = cases()
    assert len(spread) == CASES == 50
    assert {(16, 16), (1030, 33)} <= {(case.height, case.width) for case in spread}
    assert {0.0, 1.0} <= {case.alpha for case in spread}
    assert {1, 2, 3} == {case.batch for case in spread}


def test_nothing_else_is_written(model: str, exported: dict[str, Path]) -> None:
    names = {path.name for path in exported[model].iterdir()} - {"vgg_normalised.pth"}
    assert names == {
        weights.onnx_file(model, part, precision)
        for part in PARTS[model]
        for precision in PRECISIONS
    }


def test_the_contract_of_the_parts(model: str, files: dict[str, Path]) -> None:
    channels, size, values = {"fast": (96, 1920, 192), "vgg19": (512, 1920, 1920)}[model]
    skips: dict[str, list[str | int]] = {}
    if model == "vgg19":
        skips = {"relu3_1": ["N", 256, "2h", "2w"], "relu2_1": ["N", 128, "4h", "4w"]}
    encoder, decoder = session(files["encoder"]), session(files["decoder"])
    assert shapes(encoder.get_inputs()) == {"image": ["N", 3, "height", "width"]}
    assert shapes(encoder.get_outputs()) == {
        "features": ["N", channels, "h", "w"],
        "statistics": ["N", values, 1, 1],
        **skips,
    }
    assert shapes(decoder.get_inputs()) == {
        "image": ["N", 3, "height", "width"],
        "strength": ["strength_N", 1, "strength_height", "strength_width"],
        "features": ["N", channels, "h", "w"],
        "statistics": ["N", values, 1, 1],
        **skips,
        "style": ["style_N", size, "style_h", "style_w"],
        "alpha": ["alpha_N", 1, "alpha_h", "alpha_w"],
    }
    assert shapes(decoder.get_outputs()) == {"stylized": ["N", 3, "height", "width"]}
    if model == "fast":
        style = session(files["style"])
        assert shapes(style.get_inputs()) == {"image": ["N", 3, "height", "width"]}
        assert shapes(style.get_outputs()) == {"style": ["N", size, 1, 1]}


def test_the_contract_of_the_whole(files: dict[str, Path]) -> None:
    whole = session(files["whole"])
    inputs = {value.name: (value.type, value.shape) for value in whole.get_inputs()}
    assert inputs == {
        "content": ("tensor(uint8)", ["N", "H", "W", 3]),
        "style": ("tensor(uint8)", ["M", "Hs", "Ws", 3]),
        "alpha": ("tensor(float)", ["A"]),
    }
    (output,) = whole.get_outputs()
    assert (output.name, output.type) == ("stylized", "tensor(uint8)")


@pytest.mark.parametrize("precision", PRECISIONS)
def test_metadata_opset_and_one_file(model: str, exported: dict[str, Path], precision: str) -> None:
    for part, file in files_of(model, exported, precision).items():
        proto = onnx.load(file, load_external_data=False)
        onnx.checker.check_model(proto, full_check=True)
        assert [(entry.domain, entry.version) for entry in proto.opset_import] == [("", 18)]
        assert not any(tensor.external_data for tensor in proto.graph.initializer)
        about = {entry.key: entry.value for entry in proto.metadata_props}
        assert about["model"] == model and about["part"] == part
        assert about["precision"] == registry.precision_of(part, precision)
        assert about["stride"] == "8" and about["opset"] == "18"
        geometry = {"fast": ("4", "2"), "vgg19": ("8", "0")}[model]
        assert (about["feature_stride"], about["margin"]) == geometry
        assert ("uint8 0 to 255" if part == "whole" else "float32 0 to 1") in about["ranges"]
        assert f"torch {torch.__version__.partition('+')[0]}" in about["exporter"]
        assert len(about["weights_sha256"]) == 64
        assert {"version", "contract", "channels", "training", "licence"} <= about.keys()
        assert about["skips"] == {"fast": "", "vgg19": "relu3_1 relu2_1"}[model]
        assert about["features_per_pixel"] == {"fast": "6", "vgg19": "56"}[model]
        assert about["style_space"] == VGG19_STATISTICS
        # Nothing of the machine that exported it.
        assert str(Path.cwd()).encode() not in file.read_bytes()


def test_float16_halves_the_files_and_keeps_the_interface(
    model: str, exported: dict[str, Path]
) -> None:
    """But for features, which only other files of the model read; and for trained weights, which
    are float16 and are stored so in the files of float32 too."""
    for part in PARTS[model]:
        plain, half = (files_of(model, exported, p)[part] for p in PRECISIONS)
        if (model, part) == ("vgg19", "encoder"):
            assert half.stat().st_size < 0.53 * plain.stat().st_size
        elif (model, part) != ("vgg19", "whole"):
            assert plain.stat().st_size < 1.02 * half.stat().st_size + 10_000

        def interface(file: Path) -> dict[str, tuple[str, list[str | int]]]:
            opened = session(file)
            values = [*opened.get_inputs(), *opened.get_outputs()]
            return {value.name: (value.type, value.shape) for value in values}

        expected = interface(plain)
        for name in {"features", "relu3_1", "relu2_1"} & expected.keys():
            expected[name] = ("tensor(float16)", expected[name][1])
        assert interface(half) == expected


def test_weights_are_stored_once(files: dict[str, Path]) -> None:
    parts = sum(file.stat().st_size for part, file in files.items() if part != "whole")
    assert files["whole"].stat().st_size < 1.02 * parts


def pictures(count: int, height: int, width: int, seed: int) -> Bytes:
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), np.uint8)


@pytest.mark.parametrize("size", [(1, 1), (3, 8), (16, 16), (17, 31), (16, 100)])
def test_the_whole_gives_the_size_of_the_content(
    files: dict[str, Path], size: tuple[int, int]
) -> None:
    feeds = {
        "content": pictures(2, *size, 0),
        "style": pictures(1, 50, 20, 1),
        "alpha": np.array([0.5], np.float32),
    }
    (stylized,) = session(files["whole"]).run(None, feeds)
    assert stylized.shape == (2, *size, 3) and stylized.dtype == np.uint8


def test_a_batch_is_its_pictures_one_by_one(files: dict[str, Path]) -> None:
    whole = session(files["whole"])
    content, style = pictures(2, 40, 32, 0), pictures(2, 24, 56, 1)
    alpha = np.array([0.3, 1.0], np.float32)
    (batch,) = whole.run(None, {"content": content, "style": style, "alpha": alpha})
    for i in range(2):
        one = slice(i, i + 1)
        feeds = {"content": content[one], "style": style[one], "alpha": alpha[one]}
        (single,) = whole.run(None, feeds)
        assert np.abs(batch[i].astype(int) - single[0]).max() <= 1


def test_the_stylizer_computes_what_the_whole_file_does(
    model: str, files: dict[str, Path], exported: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADAIN_WEIGHTS", str(exported[model]))
    content, style = pictures(1, 45, 70, 0), pictures(1, 33, 64, 1)
    feeds = {"content": content, "style": style, "alpha": np.array([0.8], np.float32)}
    (whole,) = session(files["whole"]).run(None, feeds)
    stylizer = Stylizer(model, device="cpu")
    assert stylizer.device == "cpu"
    ours = stylizer.stylize(content[0], style[0], alpha=0.8)
    assert np.abs(ours.astype(int) - whole[0]).max() <= 1


def test_a_file_that_differs_is_not_kept(
    exported: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of 0.001 in one bias of the graph is found, and the folder stays as it was."""
    (tmp_path / weights.onnx_file("fast", "decoder")).write_bytes(b"the last good one")

    def with_fault(model: Fast) -> dict[str, onnx.ModelProto]:
        precision = "fp16" if next(model.parameters()).dtype == torch.float16 else "fp32"
        files = files_of("fast", exported, precision)
        models = {part: onnx.load(file) for part, file in files.items()}
        bias = next(
            tensor for tensor in models["decoder"].graph.initializer if list(tensor.dims) == [12]
        )
        values = onnx.numpy_helper.to_array(bias)
        faulty = (values + 1e-3).astype(values.dtype)
        bias.CopyFrom(onnx.numpy_helper.from_array(faulty, bias.name))
        return models

    monkeypatch.setattr(export, "build", with_fault)
    monkeypatch.setattr(export, "measure_parity", partial(measure_parity, chosen=cases()[:3]))
    with pytest.raises(AdaINError, match=r"stylized in fp32 differs from torch's by 0\.2\d/255"):
        export.export_model("fast", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [weights.onnx_file("fast", "decoder")]
    assert (tmp_path / weights.onnx_file("fast", "decoder")).read_bytes() == b"the last good one"


def test_what_a_report_refuses() -> None:
    def report(precision: str, **steps: float) -> ParityReport:
        made = ParityReport(precision)
        for name, step in steps.items():
            made.note(name, np.array([step, 0, 0, 0]))
        return made

    report("fp32", stylized=0.02, bytes=0).require()
    report("fp16", stylized=3.0, bytes=3.0).require()
    for precision, name, step in (
        ("fp32", "stylized", 0.03),
        ("fp32", "stylized", np.nan),
        ("fp32", "bytes", 1.0),  # one in four bytes
        ("fp16", "stylized", 5.0),
        ("fp16", "bytes", 9.0),
    ):
        with pytest.raises(AdaINError, match=f"{name} in {precision} differs"):
            report(precision, **{name: step}).require()


def test_differences_are_pooled_over_cases() -> None:
    report = ParityReport()
    report.note("stylized", np.array([0.5, 0.25]))
    report.note("stylized", np.zeros(8))
    assert report.differences["stylized"].largest == 0.5
    assert report.differences["stylized"].mean == pytest.approx(0.075)


def test_the_hostile_cases_are_of_one_colour(model: str, files: dict[str, Path]) -> None:
    """A style without deviation gives finite pictures, the same from torch and the file."""
    chosen = [case for case in HOSTILE if case.style_colour or case.content_colour]
    assert len(chosen) == 6
    (report,) = measure_parity(pretrained.load_model(model), {"fp32": files}, chosen)
    # Where a picture is of one colour, all of its bytes may lie on the same rounding edge.
    assert report.differences.pop("bytes").largest <= 1
    report.require()
    assert report.count == 6


def test_exporting_again_gives_the_same_bytes(
    exported: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        export, "measure_parity", partial(measure_parity, chosen=[Case(16, 16, 16, 16, 1, 1.0)])
    )
    export.export_model("fast", tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {*weights.onnx_files(weights.about("fast"), *PRECISIONS)}
    for name in names:
        assert (tmp_path / name).read_bytes() == (exported["fast"] / name).read_bytes(), name


def test_the_whole_file_has_the_weights_it_was_made_from(
    tmp_path: Path, exported: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a wheel is installed, which brings no others of ``fast``."""
    source = pretrained.find_trained("fast")
    wanted, about = pretrained.load_model("fast", source), export.open_model("fast", source)[1]
    shutil.copy(exported["fast"] / "adain-fast.onnx", tmp_path)
    monkeypatch.setattr(weights, "search_folders", lambda: [tmp_path])
    assert pretrained.find_trained("fast") == tmp_path / "adain-fast.onnx"
    found, told = export.open_model("fast", None)
    assert told == about
    for name, tensor in wanted.state_dict().items():
        assert torch.equal(tensor, found.state_dict()[name]), name


def test_the_shipped_files_are_of_the_shipped_weights() -> None:
    source = pretrained.find_trained("fast")
    for part, file in weights.find_model("fast").items():
        about = session(file).get_modelmeta().custom_metadata_map
        assert about["weights_sha256"] == weights.sha256(source), part


def test_broken_weights_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from adain.cli.export import export as command

    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no tensors")
    arguments = ["--model", "fast", "-o", str(tmp_path / "out"), "--weights", str(broken)]
    assert run(command, arguments) == 2
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1 and "broken.safetensors" in printed.err
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM for one process")
def test_sigterm_leaves_no_scratch_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "export", "--model", "fast", "-o", str(tmp_path)]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 300
    while not list(tmp_path.glob(".export-*")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 143 and said.endswith("terminated\n")
    assert not list(tmp_path.iterdir())


def test_a_download_that_is_another_network_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vgg19_weights: Path
) -> None:
    tensors = load_file(vgg19_weights)
    tensors["conv2_1.weight"] *= 1.01
    other = tmp_path / "other.safetensors"
    save_file(tensors, other)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("ADAIN_WEIGHTS", "")
    with serving_vgg19(other, tmp_path) as url:
        monkeypatch.setitem(vars(PUBLISHED_VGG19), "url", url)
        with pytest.raises(AdaINError, match=r"conv2_1.weight is not the published one"):
            importing.install(registry.BUILT_IN["vgg19"], lambda line: None)
    assert list((tmp_path / "cache" / "adain").iterdir()) == []


@pytest.mark.parametrize("off", [-1e-4, 1e-4])
def test_of_a_flat_picture_on_an_edge_of_rounding_either_byte_is_right(off: float) -> None:
    ours = torch.full((1, 3, 4, 4), (100.5 + off) / 255)
    for byte, steps in ((100, 0.0), (101, 0.0), (102, 1.0), (98, 2.0)):
        theirs = np.full((1, 4, 4, 3), byte, np.uint8)
        assert byte_steps(theirs, ours, flat=True) == pytest.approx(steps, abs=2e-4)
    right = 100 if off < 0 else 101
    assert byte_steps(np.full((1, 4, 4, 3), right, np.uint8), ours, flat=False).max() == 0
    assert byte_steps(np.full((1, 4, 4, 3), 201 - right, np.uint8), ours, flat=False).min() == 1
