"""``adain doctor``: what is installed, and which devices and models really run."""

import os
import platform
import re
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import click
import numpy as np

from adain import __version__, cores, registry, weights
from adain.backends import BACKENDS
from adain.cgroups import memory_available
from adain.contract import ENCODER
from adain.errors import AdaINError
from adain.registry import DEFAULT_MODEL
from adain.telemetry import SWITCHES

# What only developers install.
_DEVELOPERS = {"test", "deploy", "fuzz"}
_SIDE = 512


@click.command()
def doctor() -> int:
    """Say what is installed and what works: versions, devices, models, a picture made and timed.

    Paste it into a report of a fault. The exit status is 1 where no picture can be made.
    """
    click.echo(f"adain {__version__}, Python {platform.python_version()}, {platform.platform()}")
    free = memory_available()
    memory = "memory unknown" if free is None else f"{free / 1e9:.1f} GB of memory free"
    click.echo(f"processors: {cores.cores()} of {os.cpu_count()}, {memory}")
    for line in _packages():
        click.echo(line)
    click.echo("telemetry: " + ", ".join(f"{name}={os.environ.get(name)}" for name in SWITCHES))
    click.echo("searched: " + ", ".join(_without_home(path) for path in weights.search_folders()))
    try:
        _devices()
    except AdaINError as error:
        click.echo(f"devices: none: {error}")
        return 1
    works = False
    for name, row in weights.models().items():
        works |= _model(name, row)
    return 0 if works else 1


def _packages() -> Iterator[str]:
    """What the package asks for, and each extra, with the versions that are here."""
    try:
        requirements = metadata.requires("adain") or []
    except metadata.PackageNotFoundError:
        yield "packages: adain is not installed, but a folder on the path"
        return
    versions: dict[str, list[str]] = {}
    for requirement in requirements:
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        extra = re.search(r"""extra == ['"]([\w-]+)['"]""", requirement)
        group = extra[1] if extra else ""
        if group not in _DEVELOPERS and name != "adain":
            versions.setdefault(group, []).append(f"{name} {_version(name)}")
    for group, found in versions.items():
        yield f"{f'adain[{group}]' if group else 'packages'}: {', '.join(found)}"
    if all(_version(name) != "-" for name in ("onnxruntime", "onnxruntime-gpu")):
        # They write the same files: whichever came last, half of the other is left.
        yield "onnxruntime and onnxruntime-gpu are both installed; uninstall both, then install one"


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "-"


def _devices() -> None:
    from adain import providers

    encoder = weights.find_model(DEFAULT_MODEL)[ENCODER]
    built_in = providers.installed()
    for kind in built_in:
        trouble = None if kind == "cpu" else providers.trouble_with(kind, 0, encoder)
        click.echo(f"{kind}: {trouble or 'runs'}")
    absent = [kind for kind in BACKENDS if kind not in built_in]
    click.echo(f"not in the installed ONNX Runtime: {', '.join(absent) or 'none'}")


def _model(name: str, row: registry.Model) -> bool:
    """Tell what there is of a model, and how long a picture takes; whether one could be made."""
    from adain.stylizer import Stylizer

    here = [p for p in row.precisions if name in weights.available_models(p)]
    if not here:
        click.echo(f"{name}: not here; {row.get}")
        return False
    content, style = _pictures()
    try:
        stylizer = Stylizer(name, precision=here[0], cached_contents=0)
        vector = stylizer.encode_style(style)
        stylizer.stylize(content, vector)
        begun = time.perf_counter()
        made = stylizer.stylize(content, vector)
        seconds = time.perf_counter() - begun
    except AdaINError as error:
        click.echo(f"{name}: {error}")
        return False
    if made.shape != content.shape or np.array_equal(made, content):
        click.echo(f"{name}: gives back what it is given, on {stylizer.device}")
        return False
    click.echo(
        f"{name}: {_SIDE} x {_SIDE} pixels in {seconds:.2f} s on {stylizer.device}"
        f" ({', '.join(here)} here)"
    )
    return True


def _pictures() -> tuple[np.ndarray, np.ndarray]:
    """Two uint8 pictures ``[512, 512, 3]``, waves and stripes."""
    y, x = np.mgrid[0:_SIDE, 0:_SIDE]
    waves = np.sin(x / 23 + y / 31), np.sin(y / 19), np.cos(x / 41)
    stripes = np.where((x + y) // 16 % 2, 255, 0), x // 2, 255 - y // 2
    content = (127.5 * (np.stack(waves, axis=-1) + 1)).astype(np.uint8)
    return content, np.stack(stripes, axis=-1).astype(np.uint8)


def _without_home(path: Path) -> str:
    """A path as it may be shown to others."""
    try:
        return f"~/{path.relative_to(Path.home()).as_posix()}"
    except (ValueError, RuntimeError):
        return os.fspath(path)
