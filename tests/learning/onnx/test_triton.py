"""Triton's model repository: configs that its own schema reads, and that say what the files do."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from adain.cli.export import export
from adain.cli.run import run
from adain.contract import WHOLE
from adain.weights import find_model, onnx_file

schema = pytest.importorskip("tritonclient.grpc.model_config_pb2", reason="no tritonclient here")
from google.protobuf import text_format

NUMPY = {"TYPE_UINT8": np.uint8, "TYPE_FP32": np.float32, "TYPE_FP16": np.float16}
ORT = {"TYPE_UINT8": "tensor(uint8)", "TYPE_FP32": "tensor(float)", "TYPE_FP16": "tensor(float16)"}


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("triton") / "repository"
    assert run(export, ["--triton", str(folder)]) == 0
    return folder


def configs(repository: Path) -> dict[str, object]:
    return {
        path.parent.name: text_format.Parse(path.read_text(), schema.ModelConfig())
        for path in repository.glob("*/config.pbtxt")
    }


def test_each_file_is_a_model(repository):
    parts = [*find_model("fast"), WHOLE]
    names = {Path(onnx_file("fast", part, p)).stem for part in parts for p in ("fp32", "fp16")}
    assert configs(repository).keys() == names
    for name, config in configs(repository).items():
        assert config.name == name and config.backend == "onnxruntime"
        assert config.parameters["cudnn_conv_algo_search"].string_value == "1"
        (group,) = config.instance_group
        assert group.count == 1 and group.kind == schema.ModelInstanceGroup.KIND_AUTO


def test_configs_say_what_the_files_take_and_give_and_warm_up_with(repository):
    for name, config in configs(repository).items():
        session = onnxruntime.InferenceSession(repository / name / "1" / "model.onnx")
        # Where first axes differ, there are no batches of Triton's making.
        axes = {tensor.shape[0] for tensor in session.get_inputs()}
        assert config.max_batch_size == (8 if len(axes) == 1 else 0)
        assert config.HasField("dynamic_batching") == (config.max_batch_size > 0)
        batch = [-1] if config.max_batch_size else []
        for told, found in (
            (config.input, session.get_inputs()),
            (config.output, session.get_outputs()),
        ):
            assert [tensor.name for tensor in told] == [tensor.name for tensor in found]
            for tensor, own in zip(told, found, strict=True):
                assert ORT[schema.DataType.Name(tensor.data_type)] == own.type
                shape = [size if isinstance(size, int) else -1 for size in own.shape]
                assert [*batch, *tensor.dims] == shape
        (warmup,) = config.model_warmup
        one = [1] if config.max_batch_size else []
        given = {
            key: np.zeros([*one, *value.dims], NUMPY[schema.DataType.Name(value.data_type)])
            for key, value in warmup.inputs.items()
        }
        assert all(values.shape[0] == 1 for values in session.run(None, given))
    assert [
        configs(repository)[name].max_batch_size for name in ("adain-fast", "adain-fast-decoder")
    ] == [0, 0]


def test_other_options_do_not_go_with_it(tmp_path, capsys):
    assert run(export, ["--triton", str(tmp_path / "r"), "-o", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("Error: --output: found --triton")
    assert run(export, ["--triton", str(tmp_path / "r"), "--model", "no-such"]) == 2
    assert not (tmp_path / "r").exists()
