"""The registry of models: one row for each, built in or imported, and how it is got.

To add one, add its row to `BUILT_IN`, and the network that the row names.

README.md, "Models" and "Quality", says what `paper` and `vgg19` are each better at, by their losses
on the same pairs (`adain evaluate`).
"""

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from adain.contract import DECODER, ENCODER, STYLE_NETWORK, WHOLE
from adain.errors import found_error
from adain.published import PUBLISHED_DECODER, PUBLISHED_VGG19, Published

# float32, float16 with statistics in float32, and 8-bit integers.
PRECISIONS = ("fp32", "fp16", "int8")
# Those that are exported; 8 bits are calibrated on pictures, which no package brings.
EXPORTED = ("fp32", "fp16")
NOT_STATED = "not stated"
_ENCODER_LICENCE = "VGG-19 encoder CC BY 4.0 (Simonyan and Zisserman)"

NAME = r"[a-z0-9]+(-[a-z0-9]+)*"
NAME_LENGTH = 40
ALLOWED_NAMES = f"1 to {NAME_LENGTH} lowercase letters, digits and single hyphens between them"
# What the names of a model's files may end in: `adain-<model>-encoder.onnx`.
FILE_WORDS = (ENCODER, DECODER, STYLE_NETWORK, WHOLE, *PRECISIONS)
LICENCE_LENGTH = 200
_KIND = "adain imported model"


@dataclass(frozen=True)
class Model:
    """A model: its parts and files, its licence, how it is got, and what it can do.

    ``source`` is the safetensors file its ONNX files are exported from, ``sha256`` the digest of
    the one that ships. ``get`` says what to do where files are missing. ``about`` is what it is, in
    a few words. ``parts`` are the ONNX files that a Stylizer needs. ``precisions`` are those that
    there may be files of, 8 bits only where they make the model enough faster and change it little
    enough; ``int8_last`` is how many of a part's convolutions, the last ones, are in 8 bits, where
    not all are.

    ``network``, "module:class" of `adain.learning.models`, is what this project trains: the whole
    model, or its decoder where the ``encoder`` is published. Without it the decoder is of the
    paper's form: ``decoder``, fetched, or brought by a user. ``imported`` is what a user brought or
    trained, in the ``form`` of a built-in one. ``brings`` are models that `adain models get` makes
    beside this one. ``bytes_per_pixel`` is what its networks compute at once on the CPU, measured
    from a megapixel on. ``encoder_reach`` and ``decoder_reach`` are how many pixels away others
    still change what each of them gives, in whole strides (`adain.learning.models.receptive_field`
    measures them): tiles overlap by their sum.
    """

    name: str
    source: str
    licence: str
    get: str
    about: str = ""
    sha256: str = ""
    parts: tuple[str, ...] = (ENCODER, DECODER)
    precisions: tuple[str, ...] = EXPORTED
    int8_last: Mapping[str, int] = field(default_factory=dict)
    network: str = ""
    encoder: Published | None = None
    decoder: Published | None = None
    brings: tuple[str, ...] = ()
    imported: bool = False
    form: str = ""
    # Of VGG-19, and of a decoder of the paper's form.
    bytes_per_pixel: int = 1000
    encoder_reach: int = 32
    decoder_reach: int = 32

    @property
    def trained(self) -> bool:
        """Whether this project trains it."""
        return bool(self.network) and not self.imported

    @property
    def has_vgg19(self) -> bool:
        """Whether its encoder is the published VGG-19."""
        return self.encoder is not None

    @property
    def has_style_network(self) -> bool:
        """Whether styles are encoded by a network of their own, and not by the encoder."""
        return STYLE_NETWORK in self.parts

    @property
    def is_built_by_get(self) -> bool:
        """Whether `adain models get` fetches what it is made of and builds its files."""
        return self.has_vgg19 and not self.imported


def precision_of(part: str, precision: str) -> str:
    """The precision of a part's file where that of the model is ``precision``.

    A network that encodes styles runs once a style: in float32, of which there is one file for all.
    """
    return "fp32" if part == STYLE_NETWORK else precision


# The one to take unless a user says otherwise: it ships whole, and runs anywhere.
DEFAULT_MODEL = "fast"
BUILT_IN = {
    model.name: model
    for model in (
        Model(
            DEFAULT_MODEL,
            source="fast.safetensors",
            sha256="8ac1cae023ddae7828594f0724db2364a2bd096951b9c98c4980bc3a40c6ddfb",
            licence="MIT",
            get="it comes with the package: `pip install --force-reinstall adain` brings it back",
            about="real time on a plain CPU",
            parts=(ENCODER, DECODER, STYLE_NETWORK),
            network="fast:Fast",
            bytes_per_pixel=160,
            encoder_reach=16,
            decoder_reach=80,
        ),
        Model(
            "vgg19",
            source="vgg19-decoder.safetensors",
            sha256="866c6b8b702c9e46ebeeb00630ccf1ca4a1b68130629a18aea43460826832fd5",
            licence=f"decoder MIT; {_ENCODER_LICENCE}",
            get=PUBLISHED_VGG19.get,
            about="the paper's own network",
            precisions=PRECISIONS,
            # With all seven in 8 bits its pictures were 1.85/255 off, with the first four 1.74,
            # with the last four 1.03 for nearly the same time.
            int8_last={DECODER: 4},
            network="networks:ResidualDecoder",
            encoder=PUBLISHED_VGG19,
            brings=("paper",),
            decoder_reach=96,
        ),
        Model(
            "paper",
            source=PUBLISHED_DECODER.names[0],
            licence=f"decoder MIT (Huang; Inoue); {_ENCODER_LICENCE}",
            get=PUBLISHED_DECODER.get,
            about="the decoder released with the paper",
            encoder=PUBLISHED_VGG19,
            decoder=PUBLISHED_DECODER,
        ),
    )
}
TRAINED = tuple(name for name, model in BUILT_IN.items() if model.trained)


def has_published_decoder(name: str) -> bool:
    """Whether this is a model whose decoder others published: a user may bring that one alone."""
    return name in BUILT_IN and BUILT_IN[name].decoder is not None


# The form of decoders that users bring: nine convolutions on VGG-19.
PAPERS_FORM = "paper"


def imported(name: str, licence: str = NOT_STATED, form: str = PAPERS_FORM) -> Model:
    """The row of a model that a user brought or trained, in the form of a built-in one."""
    base = BUILT_IN[form]
    command = "import FILE" if form == PAPERS_FORM else "add RUN"
    return in_form_of(
        form,
        name,
        f"decoder {licence}; {_ENCODER_LICENCE}" if base.has_vgg19 else licence,
        f"`adain models remove {name}` and `adain models {command} --name {name}` make it anew",
    )


def in_form_of(
    form: str, name: str, licence: str, get: str, precisions: tuple[str, ...] = EXPORTED
) -> Model:
    """The row of a model that is not of this project, in the form of a built-in one."""
    base = BUILT_IN[form]
    return replace(
        base,
        name=name,
        form=form,
        source=f"{name}-decoder.safetensors" if base.has_vgg19 else f"{name}.safetensors",
        licence=licence,
        get=get,
        about="" if form == PAPERS_FORM else f"trained as {form} is",
        sha256="",
        precisions=precisions,
        decoder=None,
        brings=(),
        imported=True,
    )


def mark_file(name: str) -> str:
    """The name of the file by which an imported model is found."""
    return f"adain-{name}.json"


def mark(licence: str, form: str = PAPERS_FORM) -> bytes:
    """What `mark_file` holds: JSON with the licence, and in whose form the model is."""
    about = {"kind": _KIND, "licence": licence, "form": form}
    return (json.dumps(about) + "\n").encode()


def find_imported(folders: Iterable[Path]) -> dict[str, Model]:
    """The imported models whose marks lie in these folders, by name; the first folder's count.

    Files of other kinds, and names that no model may have, are passed over.
    """
    found: dict[str, Model] = {}
    for folder in folders:
        for path in folder.glob(mark_file("*")):
            name = path.stem.removeprefix("adain-")
            if name not in found and _trouble(name) is None:
                with suppress(OSError, ValueError, LookupError, TypeError, RecursionError):
                    found[name] = _marked(name, path)
    return dict(sorted(found.items()))


def _marked(name: str, path: Path) -> Model:
    about: Any = json.loads(path.read_bytes())
    if about["kind"] != _KIND:
        raise ValueError
    # Marks of the first version say no form: there was but one.
    return imported(name, check_licence(about["licence"]), about.get("form", PAPERS_FORM))


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
