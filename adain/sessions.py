"""Sessions of ONNX Runtime: where they run, and what went wrong where they cannot."""

import contextlib
import functools
import io
import logging
import os
import re
import threading
from pathlib import Path
from typing import TypeAlias

try:
    import onnxruntime
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "adain runs on ONNX Runtime, which is not installed: pip install 'adain[cpu]', or"
        " 'adain[gpu]' for CUDA"
    ) from error

from adain.errors import AdaINError, found_error

Provider: TypeAlias = tuple[str, dict[str, str]]

DEVICES = "auto, cpu, cuda or cuda:N"

logger = logging.getLogger("adain")
_one_at_a_time = threading.Lock()


@functools.cache
def _cuda_trouble(device_id: int, file: Path) -> str | None:
    """Why CUDA cannot run here, or None. Only a session that was really made tells the truth."""
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        return "the installed ONNX Runtime has no CUDA; install adain[gpu] in place of adain[cpu]"
    with _one_at_a_time:
        reason = _try_cuda(device_id, file)
    return reason and (
        f"ONNX Runtime could not start CUDA ({reason}); check the NVIDIA driver (nvidia-smi) and"
        " install adain[gpu], which brings CUDA and cuDNN"
    )


def _try_cuda(device_id: int, file: Path) -> str | None:
    # ONNX Runtime reports what it misses on stdout and in a log on stderr; neither is ours.
    printed = io.StringIO()
    onnxruntime.set_default_logger_severity(4)
    try:
        with contextlib.redirect_stdout(printed):
            # The CUDA and cuDNN libraries of the `gpu` extra lie among the Python packages.
            onnxruntime.preload_dlls()
        session = _session(file, ("CUDAExecutionProvider", {"device_id": str(device_id)}))
    except Exception as error:
        return reason_of(error)
    finally:
        onnxruntime.set_default_logger_severity(2)
    if session.get_providers()[0] == "CUDAExecutionProvider":
        return None
    return next(iter(printed.getvalue().splitlines()), "a library or the driver is missing")


def choose_provider(device: str, file: Path) -> Provider:
    cpu: Provider = ("CPUExecutionProvider", {})
    kind, _, number = str(device).partition(":")
    if device == "cpu":
        return cpu
    if device not in ("auto", "cuda") and not (kind == "cuda" and number.isdecimal()):
        raise found_error("device", repr(device), DEVICES)
    device_id = int(number or 0)
    trouble = _cuda_trouble(device_id, file)
    if trouble is None:
        return "CUDAExecutionProvider", {
            "device_id": str(device_id),
            # An exhaustive search would cost half a second for every new image size.
            "cudnn_conv_algo_search": "HEURISTIC",
        }
    if device != "auto":
        raise AdaINError(f"device: found {device!r}, but CUDA cannot run: {trouble}")
    _say_cpu(trouble)
    return cpu


@functools.cache
def _say_cpu(trouble: str) -> None:
    gpu_build = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    logger.log(logging.WARNING if gpu_build else logging.INFO, "running on the CPU: %s", trouble)


def open_session(file: Path, provider: Provider) -> onnxruntime.InferenceSession:
    try:
        return _session(file, provider)
    except Exception as error:
        raise found_error(
            str(file),
            f"a file that ONNX Runtime cannot open ({reason_of(error)})",
            "a model file of adain",
        ) from error


def _session(file: Path, provider: Provider) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    # Errors come as exceptions; ONNX Runtime's own log would only repeat them on stderr.
    options.log_severity_level = 4
    # A model's parts take turns, each with threads of its own. Those that have just finished would
    # go on spinning on the cores the next part needs: a picture then takes twice as long.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Its fallback prints, and lets one CUDA error turn a server into a CPU server for good.
    return onnxruntime.InferenceSession(
        os.fspath(file), options, providers=[provider], enable_fallback=False
    )


def reason_of(error: Exception) -> str:
    text = str(error) or type(error).__name__
    # What CUDA says stands in the middle of ONNX Runtime's account of where it was said.
    cuda = re.search(r"CUDA failure \d+: [^;\n]+", text)
    return (cuda[0] if cuda else text.splitlines()[0][:200]).strip()
