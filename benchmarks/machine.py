"""What was measured on: the processor, the versions, and the peak of a plain matrix product."""

import os
import platform
from pathlib import Path

import onnxruntime
import torch

from adain.learning.train import matrix_peak

HALF = {"fp16": torch.float16}


def cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def peak(device: str, precision: str = "fp32", seconds: float = 1.0) -> float:
    """Multiply-accumulates a second that the best product of two large matrices reaches.

    8-bit work is held against float32, as torch has no plain product of 8-bit matrices for CPUs.
    """
    dtype = HALF.get(precision, torch.float32)
    return matrix_peak(torch.device(device), dtype, seconds) / 2


def describe_cpu() -> str:
    threads = torch.get_num_threads()
    return f"{cpu_name()}, {os.cpu_count()} logical cores, {threads} threads in torch"


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


def describe_versions() -> str:
    return f"torch {torch.__version__}, onnxruntime {onnxruntime.__version__}"


def cuda_missing() -> str | None:
    """Why nothing can be measured on CUDA, or None."""
    if not torch.cuda.is_available():
        return "torch finds no CUDA device"
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        return "the installed ONNX Runtime has no CUDA; install adain[gpu] in place of adain[cpu]"
    return None


def cuda_name() -> str:
    return str(torch.cuda.get_device_name())
