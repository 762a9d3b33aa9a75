"""Which provider of ONNX Runtime each device is, to be known without ONNX Runtime itself."""

from dataclasses import dataclass

from adain.weights import one_of


@dataclass(frozen=True)
class Backend:
    """A provider of ONNX Runtime, and what to do where it is missing or does not start.

    ``numbered``: it tells several devices apart. ``memory``: where its values lie, in the words of
    ONNX Runtime's I/O binding; None where that is the CPU's memory anyway.
    """

    provider: str
    install: str = ""
    start: str = "check its driver"
    numbered: bool = False
    memory: str | None = None


_NVIDIA = "check the NVIDIA driver (nvidia-smi) and install adain[gpu], which brings CUDA and cuDNN"
_GPU = "install adain[gpu] in place of adain[cpu]"
BACKENDS = {
    "cpu": Backend("CPUExecutionProvider"),
    "cuda": Backend("CUDAExecutionProvider", _GPU, _NVIDIA, True, "cuda"),
    "tensorrt": Backend(
        "TensorrtExecutionProvider",
        f"{_GPU}, and TensorRT",
        f"{_NVIDIA}, and TensorRT itself",
        True,
        "cuda",
    ),
    "directml": Backend(
        "DmlExecutionProvider",
        "install onnxruntime-directml in place of onnxruntime (Windows)",
        numbered=True,
        memory="dml",
    ),
    "coreml": Backend("CoreMLExecutionProvider", "install adain[cpu] on macOS"),
    "openvino": Backend(
        "OpenVINOExecutionProvider", "install onnxruntime-openvino in place of onnxruntime"
    ),
}

_KINDS, _NUMBERED = list(BACKENDS), [f"{kind}:N" for kind, b in BACKENDS.items() if b.numbered]
DEVICES = f"auto, {one_of(_KINDS)}, and {one_of(_NUMBERED)} for one of several"
