"""``adain specialise``: one network per style, from ``fast``, as one ONNX file.

Johnson et al. 2016, "Perceptual Losses for Real-Time Style Transfer and Super-Resolution", but
fine-tuned: ``fast`` with the painting folded in is where it starts, and not noise.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from adain.errors import checked_integer, found_error
from adain.files import check_folder, check_writable
from adain.images import load_image
from adain.learning.models.fast import Fast
from adain.learning.models.one_style import INNER_BLOCKS, OneStyle
from adain.learning.models.pretrained import find_trained, load_model
from adain.learning.onnx.adding import WEIGHTS
from adain.learning.onnx.one_style import export_one_style
from adain.learning.tensors import to_tensor
from adain.learning.training.log import LOG
from adain.learning.training.loop import train
from adain.learning.training.one_style import OneStyleTrainer
from adain.learning.training.options import TrainOptions
from adain.learning.training.trainer import Trainer
from adain.options import STYLE_SIDE
from adain.padding import reflected

SUFFIX = ".onnx"
STYLE_SIZES = 64, 2048


def specialise(
    painting: str | os.PathLike[str],
    content_dir: str | os.PathLike[str],
    output: str | os.PathLike[str],
    run_dir: str | os.PathLike[str],
    options: TrainOptions,
    report: Callable[[str], object],
    *,
    style_size: int = STYLE_SIDE,
    name: str | None = None,
) -> Trainer:
    """Fine-tune ``fast`` to one painting, and write it to ``output`` as one ONNX file.

    ``content_dir`` holds photos, ``style_size`` is the painting's long side in pixels, by which
    the size of strokes goes. ``options.weights`` are those of ``fast`` to start from, by
    default those that ship. ``name`` is what the file says that it is, by default its own. In
    ``run_dir`` is what `train` writes; the same call goes on from there.

    Where the training was ``stopped`` before its end, the file is not written. Raises AdaINError,
    before the training, for all that can be known then.
    """
    output = Path(output)
    if output.suffix.lower() != SUFFIX:
        raise found_error(str(output), f"a name that ends in {output.suffix!r}", f"one in {SUFFIX}")
    checked_integer("style_size", style_size, *STYLE_SIZES)
    check_writable(output)
    check_folder(run_dir)
    if Path(run_dir).resolve().is_relative_to(output.resolve()):
        raise found_error(str(run_dir), "the file to write", "another folder")
    if "\N{REPLACEMENT CHARACTER}" in os.fsencode(run_dir).decode(errors="replace"):
        # TensorBoard's files could not be written there.
        raise found_error(str(run_dir), "a name that is not UTF-8", "another folder")
    image = read_painting(painting, style_size)
    weights = Path(options.weights or find_trained("fast"))
    fast = load_model("fast", weights)
    assert isinstance(fast, Fast)
    digest = hashlib.sha256(image.numpy().tobytes()).hexdigest()[:16]
    trainer = train(
        content_dir,
        painting,
        run_dir,
        replace(options, weights=weights, reconstruction_steps=0, painting=digest),
        report,
        partial(OneStyleTrainer, network=start(fast, image), painting=image),
    )
    if trainer.stopped:
        return trainer
    best = Path(run_dir) / WEIGHTS
    for line in held_out_losses(Path(run_dir)):
        report(line)
    report(str(export_one_style(best, output, name or output.stem, Path(painting).name)))
    return trainer


def read_painting(path: str | os.PathLike[str], size: int) -> Tensor:
    """A picture, no larger than ``size`` on its long side, float32 ``[1, 3, H, W]`` in [0, 1]."""
    picture = load_image(path, max_side=size)
    width, height = (max(16, side) for side in (picture.width, picture.height))
    return to_tensor(picture.resized(width, height))


def held_out_losses(run_dir: Path) -> Iterator[str]:
    """The losses on held-out photos before the training, and those of the weights that are kept.

    Nothing, where the log is gone.
    """
    lines = [json.loads(line) for line in (run_dir / LOG).read_text(encoding="utf-8").splitlines()]
    held = [line for line in lines if line["kind"] == "held_out"]
    if held:
        first, best = held[0], min(held, key=lambda line: line["total"])
        yield "on held-out photos: " + ", ".join(
            f"{name} loss {first[name]:.3f} before, {best[name]:.3f} now"
            for name in ("style", "target")
        )


@torch.no_grad()
def start(fast: Fast, painting: Tensor) -> OneStyle:
    """``fast`` with the style of a painting folded in, and fewer blocks."""
    rows, columns = (reflected(side, fast.stride) for side in painting.shape[2:])
    style = fast.style(painting[:, :, rows][:, :, :, columns])
    return OneStyle.folded(fast, style).keep_inner(INNER_BLOCKS)
