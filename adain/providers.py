"""The providers of ONNX Runtime that ``device`` may name, and which of them really run here."""

import contextlib
import functools
import io
import logging
import os
import re
import threading
from pathlib import Path
from typing import TypeAlias

import numpy as np

from adain.errors import AdaINError, MissingError, found_error

try:
    import onnxruntime
except ModuleNotFoundError as error:
    raise MissingError(
        "adain runs on ONNX Runtime, which is not installed: pip install 'adain[cpu]', or"
        " 'adain[gpu]' for CUDA"
    ) from error

from adain import contract, weights
from adain.backends import BACKENDS, DEVICES

Providers: TypeAlias = list[tuple[str, dict[str, str]]]


# The smallest picture a model takes, to find out whether it runs.
TRIAL_IMAGE = np.zeros((1, 3, contract.SMALLEST_SIDE, contract.SMALLEST_SIDE), np.float32)

logger = logging.getLogger("adain")
_one_at_a_time = threading.Lock()


def _renew_lock() -> None:
    global _one_at_a_time
    _one_at_a_time = threading.Lock()


if hasattr(os, "register_at_fork"):
    # A thread that holds it is not in the child, and never lets go.
    os.register_at_fork(after_in_child=_renew_lock)


# Choosing a device


def installed() -> list[str]:
    """The kinds of devices that the installed ONNX Runtime was built for."""
    available = onnxruntime.get_available_providers()
    return [kind for kind, backend in BACKENDS.items() if backend.provider in available]


def choose_device(device: str, file: Path, *, strict: bool = False) -> tuple[str, int]:
    """The kind and number of the device that ``device`` means; ``file`` is an encoder to try.

    Raises AdaINError where it is unknown or cannot run, and where ``strict`` forbids that "auto"
    means the CPU.
    """
    kind, colon, number = str(device).partition(":")
    wanted = "cuda" if device == "auto" else kind
    backend = BACKENDS.get(wanted)
    if backend is None or (colon and not (backend.numbered and number.isdecimal())):
        raise found_error("device", repr(device), DEVICES)
    if wanted == "cpu":
        return "cpu", 0
    device_id = int(number or 0)
    trouble = trouble_with(wanted, device_id, file)
    if trouble is None:
        return wanted, device_id
    if device != "auto":
        raise AdaINError(f"device: found {device!r}, but {trouble}")
    if strict:
        raise AdaINError(f"strict: found device='auto' on a machine without CUDA: {trouble}")
    _say_cpu(trouble)
    return "cpu", 0


@functools.cache
def trouble_with(kind: str, device_id: int, file: Path) -> str | None:
    """Why a device cannot run here, or None. Only a session that has run tells the truth."""
    backend = BACKENDS[kind]
    if kind not in installed():
        found = ", ".join(installed())
        return f"the installed ONNX Runtime has {found} alone; {backend.install}"
    with _one_at_a_time:
        reason = _try(kind, device_id, file)
    return reason and f"ONNX Runtime could not start {kind} ({reason}); {backend.start}"


def _try(kind: str, device_id: int, file: Path) -> str | None:
    # ONNX Runtime reports what it misses on stdout, and in its log, whose level is the host
    # program's: it can be set but not read, so that nobody could restore it.
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            if BACKENDS[kind].memory == "cuda":
                # The CUDA and cuDNN libraries of the `gpu` extra lie among the Python packages.
                onnxruntime.preload_dlls()
        session = open_session(file, providers_of(kind, device_id, file), quiet_options())
        if session.get_providers()[0] != BACKENDS[kind].provider:
            said = printed.getvalue().splitlines()
            return said[0] if said else "a library or the driver is missing"
        # Libraries that only a convolution needs are missed here, and not by the first picture.
        # TensorRT would build an engine first, which takes minutes.
        if kind != "tensorrt":
            session.run([contract.STATISTICS], {contract.IMAGE: TRIAL_IMAGE})
    except Exception as error:
        return reason_of(error)
    return None


@functools.cache
def _say_cpu(trouble: str) -> None:
    gpu_build = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    logger.log(logging.WARNING if gpu_build else logging.INFO, "running on the CPU: %s", trouble)


# Options


def providers_of(
    kind: str, device_id: int, file: Path, memory_limit: int | None = None
) -> Providers:
    """What ONNX Runtime is asked for; ``memory_limit`` is that of one session.

    The options of every provider but the CPU's are chosen by their documentation: no such device
    was at hand, and nothing of them was measured.
    """
    backend = BACKENDS[kind]
    options = {"device_id": str(device_id)} if backend.numbered else {}
    if kind not in ("cuda", "tensorrt"):
        return [(backend.provider, options)]
    # No CUDA graphs (enable_cuda_graph): one replays a single size at fixed addresses, while a
    # service gets pictures of any size.
    cuda = options | {
        # An exhaustive search would cost half a second for every new image size.
        "cudnn_conv_algo_search": "HEURISTIC",
        # Tensor cores want channels last, and take float32 as TF32.
        "prefer_nhwc": "1",
        "use_tf32": "1",
        # The default doubles the arena each time it grows, past what the largest picture needs.
        "arena_extend_strategy": "kSameAsRequested",
    }
    if memory_limit is not None:
        cuda["gpu_mem_limit"] = str(memory_limit)
    if kind == "cuda":
        return [(backend.provider, cuda)]
    # Building an engine takes minutes, so it is kept. TensorRT tells engines apart by their graph's
    # names, which another training does not change: hence the digest.
    engines = weights.cache_folder() / "tensorrt" / weights.sha256(file)[:16]
    options |= {"trt_engine_cache_enable": "1", "trt_engine_cache_path": str(engines)}
    with contextlib.suppress(OSError):
        engines.mkdir(parents=True, exist_ok=True)
    # What TensorRT has no kernel for goes to CUDA.
    return [(backend.provider, options), ("CUDAExecutionProvider", cuda)]


def quiet_options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    # Errors come as exceptions; ONNX Runtime's own log would only repeat them on stderr.
    options.log_severity_level = 4
    # x86 processors without VNNI add pairs of 8-bit products in 16 bits, where they saturate: five
    # times the error of 8-bit files. Weights as uint8 do not; with VNNI nothing changes.
    options.add_session_config_entry("session.x64quantprecision", "1")
    return options


def open_session(
    file: Path, providers: Providers, options: onnxruntime.SessionOptions
) -> onnxruntime.InferenceSession:
    # Its fallback prints, and lets one CUDA error turn a server into a CPU server for good.
    return onnxruntime.InferenceSession(
        os.fspath(file), options, providers=providers, enable_fallback=False
    )


def reason_of(error: Exception) -> str:
    """The one line of ONNX Runtime's account that says what went wrong."""
    text = str(error) or type(error).__name__
    # What CUDA says stands in the middle of ONNX Runtime's account of where it was said.
    cuda = re.search(r"CUDA failure \d+: [^;\n]+", text)
    return (cuda[0] if cuda else text.splitlines()[0][:200]).strip()
