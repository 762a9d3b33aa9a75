"""The registry of models: one row for each, built in or imported, and how it is got.

Which of `paper` and `vgg19` to take for fidelity is decided by their losses on the same pairs,
`adain evaluate`: README.md, "Models" and "Quality", says so.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adain.contract import DECODER, ENCODER, STYLE_NETWORK, WHOLE
from adain.errors import found_error

# float32, float16 with statistics in float32, and 8-bit integers.
PRECISIONS = ("fp32", "fp16", "int8")
# Those that are exported; 8 bits are calibrated on pictures, which no package brings.
EXPORTED = ("fp32", "fp16")
GET_FAST = "it comes with the package: `pip install --force-reinstall adain` brings it back"
GET_VGG19 = "`adain models get vgg19` gets it"
GET_PAPER = "`adain models get paper` gets it"
ENCODER_LICENCE = "VGG-19 encoder CC BY 4.0 (Simonyan and Zisserman)"
NOT_STATED = "not stated"

NAME = r"[a-z0-9]+(-[a-z0-9]+)*"
NAME_LENGTH = 40
ALLOWED_NAMES = f"1 to {NAME_LENGTH} lowercase letters, digits and single hyphens between them"
# What the names of a model's files may end in: `adain-<model>-encoder.onnx`.
FILE_WORDS = (ENCODER, DECODER, STYLE_NETWORK, WHOLE, *PRECISIONS)
LICENCE_LENGTH = 200


@dataclass(frozen=True)
class Model:
    """A model: its parts and files, its licence and how it is got.

    ``parts`` are the ONNX files that a Stylizer needs. ``source`` is the safetensors file they are
    exported from. ``precisions`` are those that there may be files of, 8 bits only where they make
    the model enough faster and change it little enough. ``get`` says what to do where files are
    missing. ``trained``: this project trains it; else the decoder is of the paper's form, and
    ``imported`` says whether a user brought it.
    """

    name: str
    source: str
    licence: str
    get: str
    parts: tuple[str, ...] = (ENCODER, DECODER)
    precisions: tuple[str, ...] = EXPORTED
    trained: bool = False
    imported: bool = False

    @property
    def has_vgg19(self) -> bool:
        """Whether its encoder is the published VGG-19."""
        return self.name != "fast"


BUILT_IN = {
    model.name: model
    for model in (
        Model(
            "fast",
            "fast.safetensors",
            "MIT",
            GET_FAST,
            parts=(ENCODER, DECODER, STYLE_NETWORK),
            trained=True,
        ),
        Model(
            "vgg19",
            "vgg19-decoder.safetensors",
            f"decoder MIT; {ENCODER_LICENCE}",
            GET_VGG19,
            precisions=PRECISIONS,
            trained=True,
        ),
        # The decoder released with the paper, as a widely used repository has it.
        Model(
            "paper",
            "paper-decoder.safetensors",
            f"decoder MIT (Huang; Inoue); {ENCODER_LICENCE}",
            GET_PAPER,
        ),
    )
}
TRAINED = tuple(name for name, model in BUILT_IN.items() if model.trained)


def imported(name: str, licence: str = NOT_STATED) -> Model:
    """The row of a model whose decoder a user brought."""
    return Model(
        name,
        f"{name}-decoder.safetensors",
        f"decoder {licence}; {ENCODER_LICENCE}",
        f"`adain models remove {name}` and `adain models import FILE --name {name}` make it anew",
        imported=True,
    )


def mark_file(name: str) -> str:
    """The name of the file by which an imported model is found."""
    return f"adain-{name}.json"


def mark(licence: str) -> bytes:
    """What `mark_file` holds: JSON with the decoder's licence."""
    return (json.dumps({"kind": "adain imported model", "licence": licence}) + "\n").encode()


def find_imported(folders: Iterable[Path]) -> dict[str, Model]:
    """The imported models whose marks lie in these folders, by name; the first folder's count.

    Files of other kinds, and names that no model may have, are passed over.
    """
    found: dict[str, Model] = {}
    for folder in folders:
        for path in folder.glob(mark_file("*")):
            name = path.stem.removeprefix("adain-")
            if name not in found and _trouble(name) is None:
                licence = _licence(path)
                if licence is not None:
                    found[name] = imported(name, licence)
    return dict(sorted(found.items()))


def _licence(path: Path) -> str | None:
    try:
        about: Any = json.loads(path.read_bytes())
        if about["kind"] != "adain imported model":
            return None
        return check_licence(about["licence"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None


def check_name(name: str) -> str:
    """``name`` if an imported model may have it; AdaINError otherwise."""
    trouble = _trouble(name)
    if trouble is not None:
        raise found_error("--name", *trouble)
    return name


def _trouble(name: str) -> tuple[str, str] | None:
    """What was found and what is allowed, where an imported model may not have this name."""
    if len(name) > NAME_LENGTH:
        return f"{len(name)} characters", ALLOWED_NAMES
    if not re.fullmatch(NAME, name):
        return repr(name), ALLOWED_NAMES
    if name in BUILT_IN:
        return f"{name!r}, which is built in", f"a name other than {', '.join(BUILT_IN)}"
    if name.rpartition("-")[2] in FILE_WORDS:
        words = ", ".join(FILE_WORDS)
        return repr(name), f"a name whose last word is none of {words}, which name a model's files"
    return None


def check_licence(licence: str) -> str:
    """``licence`` if it is one short line of text; AdaINError otherwise."""
    if not isinstance(licence, str) or not 1 <= len(licence.strip()) <= LICENCE_LENGTH:
        found = f"{len(licence)} characters" if isinstance(licence, str) else repr(licence)[:80]
        raise found_error("--licence", found, f"1 to {LICENCE_LENGTH} characters")
    if not licence.isprintable():
        raise found_error("--licence", repr(licence), "one line of printable characters")
    return licence.strip()
