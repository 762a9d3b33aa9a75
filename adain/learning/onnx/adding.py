"""Models of networks that `adain train` made: exported into the user's cache, under a new name."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from adain import registry
from adain.errors import found_error
from adain.learning.models.one_style import NAME
from adain.learning.models.pretrained import load_trainable, load_vgg19_encoder
from adain.learning.models.weight_files import ONNX, metadata_of
from adain.learning.onnx.importing import build_files, check_free

# In the folder of a run.
WEIGHTS = "weights.safetensors"


def add_trained(run: Path, name: str, licence: str | None, report: Callable[[str], object]) -> None:
    """Make a model ``name`` of what `adain train` made; its files go into the user's cache.

    ``run`` is the folder of a run, or a file of weights. All that can be is checked before the
    work, and nothing is kept where ONNX Runtime does not give what PyTorch does. Raises AdaINError,
    one line, for whatever is wrong.
    """
    registry.check_name(name)
    licence = registry.NOT_STATED if licence is None else registry.check_licence(licence)
    check_free(name)
    source = run / WEIGHTS if run.is_dir() else run
    if source.suffix == ONNX:
        raise found_error("RUN", repr(str(source)), f"a folder of `adain train`, or its {WEIGHTS}")
    form = metadata_of(source).get("model")
    if form == NAME:
        allowed = "one of all styles; the ONNX file of `adain specialise` needs nothing added"
        raise found_error("RUN", f"{str(source)!r}, a network of one style", allowed)
    if form not in registry.TRAINED:
        found = f"{str(source)!r}, which does not say what model it is of"
        raise found_error("RUN", found, f"a folder of `adain train`, or its {WEIGHTS}")
    row = registry.imported(name, licence, form)
    load_trainable(row, source)
    if row.has_vgg19:
        load_vgg19_encoder()
    build_files(row, partial(shutil.copyfile, source), report, licence)
