"""A photo in the style of another picture, by ONNX Runtime, NumPy and Pillow.

python stylize.py adain-fast.onnx photo.jpg style.jpg 0.8 out.png
"""

import os
import sys
import time

import numpy as np
from PIL import Image, ImageOps

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read as ONNX Runtime is imported
import onnxruntime

STYLE_SIDE = 512  # styles are learned at about this size
PROVIDERS = ["CUDAExecutionProvider", "CPUExecutionProvider"]  # the first that is there runs


def read(path: str, max_side: int | None = None) -> np.ndarray:
    """The picture upright, as uint8 [1, H, W, 3]."""
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    if max_side:
        image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)  # never enlarges
    return np.asarray(image)[None]


def strength(text: str) -> float:
    """The strength as a number from 0 to 1."""
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not 0 <= number <= 1:
        sys.exit(f"ALPHA: found {text}; allowed: a number from 0 to 1")
    return number


def main(model: str, content: str, style: str, alpha: str, out: str) -> None:
    present = onnxruntime.get_available_providers()
    session = onnxruntime.InferenceSession(model, providers=[p for p in PROVIDERS if p in present])
    inputs = {
        "content": read(content),
        "style": read(style, STYLE_SIDE),
        "alpha": np.array([strength(alpha)], np.float32),
    }
    start = time.perf_counter()
    (stylized,) = session.run(["stylized"], inputs)
    milliseconds = 1000 * (time.perf_counter() - start)
    Image.fromarray(stylized[0]).save(out)
    print(f"{out}: {milliseconds:.0f} ms on {session.get_providers()[0]}")


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit("usage: python stylize.py MODEL CONTENT STYLE ALPHA OUT")
    main(*sys.argv[1:])
