"""What a model's files say of themselves: that they are what was asked for, and their sizes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adain import contract, registry, weights
from adain.contract import Key
from adain.errors import failing, found_error


@dataclass(frozen=True)
class ModelLayout:
    """The sizes and names that a model's metadata tell; see `adain.contract.Key`.

    ``encoded`` are the encoder's outputs. ``content_bytes`` are those of a content and its
    features, for each pixel.
    """

    stride: int
    feature_stride: int
    style_channels: int
    style_space: str
    encoded: tuple[str, ...]
    content_bytes: float
    # Of the file of weights that they were exported from.
    weights_sha256: str


def read_layout(
    model: registry.Model,
    precision: str,
    files: Mapping[str, Path],
    notes: Mapping[str, Mapping[str, str]],
) -> ModelLayout:
    """What a model's files have in common; ``files`` and ``notes``, their metadata, are by part.

    Raises AdaINError where a file is one of another model, part, precision, contract or export.
    """
    for part, note in notes.items():
        kind = (note.get(Key.MODEL), note.get(Key.PART), note.get(Key.PRECISION, precision))
        wanted = registry.precision_of(part, precision)
        if kind != (model.name, part, wanted):
            allowed = f"the {part} of adain's model {model.name!r} in {wanted}"
            raise found_error(str(files[part]), "another model", allowed)
        version = note.get(Key.CONTRACT)
        if version != contract.VERSION:
            found = f"a file of contract {version}, of another version of adain"
            allowed = f"contract {contract.VERSION}; {weights.how_to_get(model, precision)}"
            raise found_error(str(files[part]), found, allowed)
    about = notes[contract.DECODER]
    for part, note in notes.items():
        if note.get(Key.WEIGHTS_SHA256) != about.get(Key.WEIGHTS_SHA256):
            raise found_error(
                str(files[part]),
                f"another training than that of {files[contract.DECODER]}",
                "files of one export",
            )
    with failing(str(files[contract.DECODER]), "damaged metadata", "a model file of adain"):
        return ModelLayout(
            int(about[Key.STRIDE]),
            int(about[Key.FEATURE_STRIDE]),
            int(about[Key.STYLE_CHANNELS]),
            about[Key.STYLE_SPACE],
            contract.encoder_outputs(about[Key.SKIPS].split()),
            4 * (float(about[Key.FEATURES_PER_PIXEL]) + 3),
            about[Key.WEIGHTS_SHA256],
        )
