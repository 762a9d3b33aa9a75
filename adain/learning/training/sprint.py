"""One short training session from a packed folder, on a machine with PyTorch alone.

python -m adain.learning.training.sprint PACKED -o OUT --model vgg19 --minutes 8

It needs torch, torchvision, safetensors, tqdm, numpy and Pillow, and so no click. PACKED is what
``adain pack`` makes of two folders of images with ``--vgg`` and ``--weights``. Weights, log and
held-out pictures are in OUT/MODEL from the first minute, so that little is lost whenever the
machine goes.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adain.choices import choices
from adain.errors import AdaINError, found_error
from adain.learning.models.loss_network import ROUNDED_FILE
from adain.learning.training.loop import train
from adain.learning.training.options import TrainOptions
from adain.learning.training.trainer import Trainer
from adain.registry import BUILT_IN, TRAINED

CONTENT, STYLE = "content", "style"
# No step of a sprint is waited for: held-out losses come by the clock.
NEVER = 10**9


@dataclass(frozen=True)
class Packed:
    """What a packed folder holds: two folders of images, the loss network and first weights."""

    folder: Path

    @property
    def content(self) -> Path:
        return self.folder / CONTENT

    @property
    def style(self) -> Path:
        return self.folder / STYLE

    @property
    def vgg(self) -> Path:
        return self.folder / ROUNDED_FILE

    def weights(self, model: str) -> Path | None:
        """The weights that a model starts from, or None where it starts from scratch."""
        path = self.folder / BUILT_IN[model].source
        return path if path.is_file() else None


def sprint(packed: Packed, output: Path, **options: Any) -> Trainer:
    """Train a model from a packed folder; ``options`` are those of `TrainOptions`.

    Writes ``weights.safetensors`` (float16, the best on held-out pairs so far), ``log.jsonl`` and
    ``held_out.png`` to ``output/MODEL``, anew every minute. Raises AdaINError as `train` does, and
    where ``output/MODEL`` holds a run already.
    """
    settings = TrainOptions(
        **{
            "vgg": packed.vgg,
            "weights": packed.weights(options["model"]),
            "resumable": False,
            "tensorboard": False,
            "checkpoint_minutes": 1.0,
            "evaluate_every": NEVER,
            **options,
        }
    )
    run_dir = output / settings.model
    if run_dir.exists() and any(run_dir.iterdir()):
        raise found_error(str(run_dir), "a run", "a new folder: a sprint is not continued")
    return train(packed.content, packed.style, run_dir, settings)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 0, or 2 with one line on stderr for a mistake that the user can mend."""
    parser = argparse.ArgumentParser(
        prog="python -m adain.learning.training.sprint",
        description="Train in one short session from a packed folder.",
    )
    parser.add_argument("packed", type=Path, metavar="PACKED", help="as packed with --vgg")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the results")
    parser.add_argument("--model", choices=list(TRAINED), default="vgg19", help="[vgg19]")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, default=8.0, help="of training, besides loading")
    length.add_argument("--steps", type=int, help="instead of minutes")
    parser.add_argument("--crop", type=int, default=256, help="side in pixels [256]")
    parser.add_argument("--batch-size", type=int, default=64, help="pairs in a step [64]")
    parser.add_argument(
        "--learning-rate", type=float, help=f"peak [{TrainOptions.learning_rate:g}]"
    )
    parser.add_argument("--reuse", type=int, help=f"batches that see a crop [{TrainOptions.reuse}]")
    parser.add_argument("--style-weight", type=float)
    parser.add_argument("--shift-weight", type=float, help="of fast alone")
    parser.add_argument("--steady-weight", type=float, help="of fast alone")
    zoom = f"a third of crops enlarged up to this [{TrainOptions.zoom:g}]"
    parser.add_argument("--zoom", type=float, help=zoom)
    parser.add_argument("--estimate-steps", type=int, help="of fast alone")
    parser.add_argument("--reconstruction-steps", type=int)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--device")
    parser.add_argument("--precision", choices=choices(TrainOptions, "precision"))
    parser.add_argument("--no-compile", dest="compile", action="store_false", default=None)
    given = vars(parser.parse_args(arguments))
    packed, output, minutes = Packed(given.pop("packed")), given.pop("output"), given.pop("minutes")
    options = {name: value for name, value in given.items() if value is not None}
    if "steps" not in options:
        options["hours"] = minutes / 60
    try:
        trainer = sprint(packed, output, **options)
    except AdaINError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    print(
        f"{output / trainer.options.model}: step {trainer.step}, held-out total {trainer.best:.4f}"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
