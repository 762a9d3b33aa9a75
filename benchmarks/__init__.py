"""Speed of both models beside the paper's pipeline in PyTorch: ``python -m benchmarks``."""

import adain  # noqa: F401  # switches telemetry off, before a benchmark imports ONNX Runtime
