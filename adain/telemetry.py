"""Telemetry of the libraries underneath: off, unless the user's environment says otherwise."""

import os

# ONNX Runtime (from 1.32) writes a device ID and a queue of events into the user's cache and looks
# its maker's host up as soon as it is imported; `onnxruntime.disable_telemetry_events` afterwards
# changes neither. Gradio reports launches and asks for its latest version; huggingface_hub, which
# Gradio imports, reports what is used of it. Ray reports what its clusters are like. PyTorch, ONNX,
# safetensors, matplotlib and TensorBoard report nothing.
SWITCHES = {
    "ORT_DISABLE_TELEMETRY": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
}


def switch_off() -> None:
    """Set the variables that these libraries read, before they are imported.

    One that the user has set, to whatever, stays. The processes that this one starts inherit them.
    """
    for name, value in SWITCHES.items():
        os.environ.setdefault(name, value)
