"""How well ``fast`` knows a style: its statistics beside those that VGG-19 measures.

``python -m benchmarks.style_estimates FOLDER`` prints the mean error over the pictures of a folder
in the units of the style loss (AdaIN eq. 13), which sums it over the layers: had a picture the
statistics that ``fast`` estimates, exactly, its style loss would be that.
"""

import sys
from pathlib import Path

import click
import torch

from adain.cli.run import run
from adain.images import load_image
from adain.learning.losses import style_loss
from adain.learning.models.fast import StatisticsEstimator
from adain.learning.models.layers import channel_statistics
from adain.learning.models.networks import VGG19Encoder
from adain.learning.models.pretrained import load_model, load_vgg19_encoder
from adain.learning.tensors import to_tensor
from adain.learning.training.data import find_images
from adain.tables import markdown_table


@torch.no_grad()
def errors(style: torch.Tensor, image: torch.Tensor, vgg: VGG19Encoder) -> list[float]:
    """The errors of a style ``[1, 1920, 1, 1]`` of an image, of relu1_1 to relu4_1."""
    exact = [channel_statistics(layer) for layer in vgg.relu_features(image)]
    estimates = StatisticsEstimator.by_layer(style)
    return [style_loss([a], [b]).item() for a, b in zip(estimates, exact, strict=True)]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--size", type=click.IntRange(32), default=512, show_default=True)
@click.option("--weights", type=click.Path(path_type=Path), help="In the place of what ships.")
def style_estimates(folder: Path, size: int, weights: Path | None) -> None:
    """Print the errors of the styles of FOLDER's pictures, as squares of SIZE pixels."""
    paths = find_images(folder)
    fast, vgg = load_model("fast", weights), load_vgg19_encoder()
    rows = []
    for path in paths:
        image = to_tensor(load_image(path).opaque().resized(size, size))
        with torch.no_grad():
            rows.append(errors(fast.style(image), image, vgg))
    means = torch.tensor(rows).mean(dim=0).tolist()
    header = ("pictures", "pixels", *vgg.STAGES, "sum")
    numbers = [f"{value:.3f}" for value in (*means, sum(means))]
    click.echo(markdown_table(header, [[str(len(rows)), str(size), *numbers]]))


if __name__ == "__main__":
    sys.exit(run(style_estimates))
