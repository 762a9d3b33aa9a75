"""Where weights and model files are looked for, what they are, and how the missing ones are got.

A file is looked for in the folders of ``ADAIN_WEIGHTS`` (one, or several as in ``PATH``), the
checkout's ``weights/``, the installed package and the user's cache, in this order.
"""

import hashlib
import http.client
import os
import shutil
import sys
import urllib.request
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from adain import registry
from adain.contract import WHOLE
from adain.errors import AdaINError, failing, found_error
from adain.registry import BUILT_IN
from adain.registry import GET_FAST as GET_FAST
from adain.registry import GET_VGG19 as GET_VGG19

# The published encoder of the AdaIN paper, as a widely used repository releases it.
VGG19_URL = "https://github.com/naoto0804/pytorch-AdaIN/releases/download/v0.0.0/vgg_normalised.pth"
VGG19_FILES = ("vgg19.safetensors", "vgg_normalised.pth")
# The decoder released with the paper, from the same place, and what it is kept as here.
PAPER_URL = "https://github.com/naoto0804/pytorch-AdaIN/releases/download/v0.0.0/decoder.pth"
PAPER_FILE = "decoder.pth"
GET_INT8 = "`adain quantize --model vgg19 PHOTOS_DIR PAINTINGS_DIR -o ~/.cache/adain` makes it"
# SHA-256 of the raw little-endian float32 bytes of the encoder's tensors. The published file's own
# digest says nothing about copies in other formats; the tensors' do.
VGG19_TENSOR_DIGESTS = {
    "preprocess.weight": "0d7cb8dce18001a6116ad8b5727fed25de2f0cb336103e483ed3abcf054c8b50",
    "preprocess.bias": "59e02b1ca1c5220f5177d16af977a6a39736527eb2c32262633769053cb6b1b3",
    "conv1_1.weight": "f21059c9bd43232f8dcb2c1eacbb50ea68c16c7ca989f000113d92240b2e5638",
    "conv1_1.bias": "7071f028080f62795d3b3627e445f6b3236d3513fd0377654494ce27ed6533e9",
    "conv1_2.weight": "7b627f3202fa5269e1fec4bafb2c57a217c53f1af47885fc6cca05e697f5da6d",
    "conv1_2.bias": "71d449704d8fd7566dc169e4525583a2ce6c9a232fb8b1afa2aceeee0e572986",
    "conv2_1.weight": "adfb6d4063990ddf46a634051a2ceac1f4f7ca016ff3a2d9cc09b1eb92dc01cd",
    "conv2_1.bias": "89a5b9b1e77f777acf038a43a6f247847715f4f25995d741dc159d01a85b2621",
    "conv2_2.weight": "b453c6086d5b33c1e306f7d5d94574915f3d8629f434021574671813e4a4f239",
    "conv2_2.bias": "07c58680a98fc21a82e3b47311e9505d1221cfdaa91e85afcc557aa12cdaa5d0",
    "conv3_1.weight": "668780f50516924760bc569a91bb70217cbd93b9142b9965f536e5de14a6fb16",
    "conv3_1.bias": "10ae7161ac8dda730efd9355cc7768d36fd572d5a1ecc620e766293c564c97a9",
    "conv3_2.weight": "3989d3dfef3b9cd9f4faad6d4b00b7d1c1f11cb427431e63ca363fae060a5bfe",
    "conv3_2.bias": "44230c8c483d197cd9b7e5d3bb037991f2f5f3dee67cfe533cab293ec9c26e41",
    "conv3_3.weight": "9238ec0e20576cdceea12c2d0d97b39190b17d161ba7eaa56ea601798dd8e78b",
    "conv3_3.bias": "a749ea8c71a12b9f6922233a3757fac71123442024c679cdcdfc433fdacc2afa",
    "conv3_4.weight": "79bb0b6bf88046ee8d13fa856a98b5c5eb02ce7bc142a831b601693892829e84",
    "conv3_4.bias": "a75035e1ef1f08230e9b70e3a46b58906925443a5288d87f5f07a5c44284a9d6",
    "conv4_1.bias": "644320780b12cfbe865922aa556328a6312ad8452b2ce4be40197821b6790957",
}


def models() -> dict[str, registry.Model]:
    """All models by name: those built in, then those that were imported, by name.

    Nothing is opened but a small file for each imported one, so this is cheap enough to ask anew
    whenever somebody names a model.
    """
    return BUILT_IN | registry.find_imported(search_folders())


def about(model: str) -> registry.Model:
    """The row of a model; AdaINError, with the names there are, for one that is none of them."""
    # The built-in ones without a look at the disk; whatever else a caller gives is none of them.
    known = BUILT_IN if model in list(BUILT_IN) else models()
    if model not in list(known):
        raise found_error("model", repr(model)[:80], one_of(known))
    return known[model]


def one_of(names: Iterable[str]) -> str:
    """``a, b or c``."""
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last


def precisions(model: str) -> tuple[str, ...]:
    """The precisions that a model has files of."""
    return about(model).precisions


def onnx_file(model: str, part: str, precision: str = "fp32") -> str:
    """The name of one of a model's ONNX files; parts are those of `adain.contract`."""
    words = ["adain", model]
    if part != WHOLE:
        words.append(part)
    if precision != "fp32":
        words.append(precision)
    return f"{'-'.join(words)}.onnx"


def cache_folder() -> Path:
    """The user's cache: where downloaded and locally built files are kept."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "adain"


def search_folders() -> list[Path]:
    """The folders weights are looked for in, first to last."""
    package = Path(__file__).resolve().parent
    chosen = [Path(name) for name in os.environ.get("ADAIN_WEIGHTS", "").split(os.pathsep) if name]
    return [*chosen, package.parent / "weights", package / "model_files", cache_folder()]


def look_for(*names: str) -> Path | None:
    """The first of the named files that any search folder holds, folder by folder."""
    for folder in search_folders():
        for name in names:
            if (folder / name).is_file():
                return folder / name
    return None


def find(*names: str, get: str) -> Path:
    """``look_for``, raising AdaINError with the places searched and ``get``, what to do."""
    found = look_for(*names)
    if found is None:
        places = ", ".join(str(folder) for folder in search_folders())
        raise AdaINError(f"{' or '.join(names)} not found; searched {places}; {get}")
    return found


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def model_parts(model: str) -> tuple[str, ...]:
    """The ONNX files a Stylizer of this model needs; with VGG-19 the encoder gives the style."""
    return about(model).parts


def onnx_files(model: str, precision: str = "fp32") -> list[str]:
    """The names of a model's ONNX files in one precision, the one for other programs included."""
    return [onnx_file(model, part, precision) for part in (*model_parts(model), WHOLE)]


def model_files(model: str) -> list[str]:
    """The names of all files that belong to a model: the ONNX files, and what they are made of."""
    row = about(model)
    files = [name for precision in row.precisions for name in onnx_files(model, precision)]
    return [*files, row.source, *([VGG19_FILES[0]] if row.has_vgg19 else [])]


def how_to_get(model: str, precision: str = "fp32") -> str:
    """What brings a model's files, in a few words."""
    return GET_INT8 if precision == "int8" else about(model).get


def find_model(model: str, precision: str = "fp32") -> dict[str, Path]:
    """A model's ONNX files by part; AdaINError where one is missing, or never was."""
    row = about(model)
    if precision not in row.precisions:
        raise found_error("precision", repr(precision), f"{one_of(row.precisions)} ({model})")
    get = how_to_get(model, precision)
    return {part: find(onnx_file(model, part, precision), get=get) for part in row.parts}


def available_models(precision: str = "fp32") -> list[str]:
    """The models whose files of this precision are all here."""
    available = []
    for model in models():
        with suppress(AdaINError):
            find_model(model, precision)
            available.append(model)
    return available


def remove_model(model: str) -> list[Path]:
    """Delete the files of an imported model, or of `paper`, from the user's cache; those deleted.

    VGG-19 stays for other models. Raises AdaINError for other models, and where nothing is there.
    """
    row = about(model)
    if row.trained:
        raise found_error(
            "model", f"{model!r}, which this project trains", "paper or an imported model"
        )
    # The mark first: without it nobody takes what is left for a model.
    names = [registry.mark_file(model), *model_files(model)]
    paths = [cache_folder() / name for name in names if name not in VGG19_FILES]
    removed = [path for path in paths if path.is_file()]
    if not removed:
        raise found_error(
            "model", f"no file of {model!r} in {cache_folder()}", "one with files there"
        )
    for path in removed:
        with failing(str(path), "a file that cannot be deleted", "a writable folder"):
            path.unlink()
    return removed


def download(url: str, path: Path, report: Callable[[str], object]) -> None:
    """Fetch a file to ``path``, which appears only when it is whole; AdaINError where it fails."""
    partial = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(url, timeout=60) as response, partial.open("wb") as file:
            size = int(response.headers.get("Content-Length") or 0)
            report(f"{url}: fetching {size / 1e6:.0f} MB" if size else f"{url}: fetching")
            shutil.copyfileobj(response, file)
            if size and file.tell() != size:
                raise OSError(f"the connection ended after {file.tell()} of {size} bytes")
        partial.replace(path)
    except (OSError, http.client.HTTPException) as error:
        raise AdaINError(
            f"{url}: could not be fetched ({error}); where there is no network, bring the file to"
            f" {path}"
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink()
