"""What was measured on: the processor, the versions, and the peak of a plain matrix product.

PyTorch is imported by what asks about it, and not by what measures ONNX Runtime alone.
"""

import math
import os
import platform
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

from adain.learning.onnx.whole import IR_VERSION, OPSET


def cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def peak(device: str, precision: str = "fp32", seconds: float = 1.0) -> float:
    """Multiply-accumulates a second that the best product of two large matrices reaches.

    On the CPU in float32, the better of torch's and ONNX Runtime's: each brings its own product,
    and on some processors one is twice as fast. 8-bit work is held against float32, as torch has no
    plain product of 8-bit matrices for CPUs.
    """
    import torch

    from adain.learning.devices import matrix_peak

    dtype = torch.float16 if precision == "fp16" else torch.float32
    best = matrix_peak(torch.device(device), dtype, seconds) / 2
    if device == "cpu" and dtype == torch.float32:
        best = max(best, _onnxruntime_peak(seconds))
    return best


def _onnxruntime_peak(seconds: float, side: int = 2048) -> float:
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [side, side]) for name in "abc"
    ]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["a", "b"], ["c"])], "product", values[:2], values[2:]
    )
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    matrix = np.random.default_rng(0).random((side, side), np.float32)
    best, end = math.inf, time.monotonic() + seconds
    while time.monotonic() < end or best == math.inf:
        started = time.perf_counter()
        session.run(None, {"a": matrix, "b": matrix})
        best = min(best, time.perf_counter() - started)
    return side**3 / best


def describe_cpu() -> str:
    return f"{cpu_name()}, {os.cpu_count()} logical cores"


def torch_threads() -> str:
    import torch

    return f"{torch.get_num_threads()} threads in torch"


def busy_line(load: float) -> str:
    """What to say of a load before anything was measured; nothing where the cores were free."""
    if load < 0.5:
        return ""
    return (
        f"- Load {load:.1f} before the first run: others use this machine, so neither times nor"
        " speed-ups nor the peak are its own; memory and GMAC are"
    )


def load() -> float:
    """Processes that wanted a core in the last minute, on average; 0 where none are counted."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def describe_versions(*packages: str) -> str:
    """The versions of installed packages, and of ONNX Runtime, whose package has two names."""
    found = [f"{package} {version(package)}" for package in packages]
    return ", ".join([*found, f"onnxruntime {onnxruntime.__version__}"])


def cuda_missing() -> str | None:
    """Why nothing can be measured on CUDA, or None."""
    import torch

    if not torch.cuda.is_available():
        return "torch finds no CUDA device"
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        return "the installed ONNX Runtime has no CUDA; install adain[gpu] in place of adain[cpu]"
    return None


def cuda_name() -> str:
    import torch

    return str(torch.cuda.get_device_name())
