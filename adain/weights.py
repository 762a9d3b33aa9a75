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
from adain.published import PUBLISHED_VGG19
from adain.registry import BUILT_IN

# What a wheel leaves out, and what is there in its place; pyproject.toml says why.
NOT_IN_WHEEL = {
    "adain-fast-fp16.onnx": "for other programs; `adain export --model fast -o DIR` makes it",
    "fast.safetensors": "adain-fast.onnx has the same weights",
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
    if registry.precision_of(part, precision) != "fp32":
        words.append(precision)
    return f"{'-'.join(words)}.onnx"


def cache_folder() -> Path:
    """The user's cache: where downloaded and locally built files are kept.

    AdaINError for a user without a home, as services and containers may have.
    """
    windows = sys.platform == "win32"
    name = "LOCALAPPDATA" if windows else "XDG_CACHE_HOME"
    if base := os.environ.get(name):
        return Path(base) / "adain"
    try:
        return Path.home() / ("AppData/Local" if windows else ".cache") / "adain"
    except RuntimeError as error:
        raise found_error(name, "nothing, and no home", "the folder of the cache") from error


def search_folders() -> list[Path]:
    """The folders weights are looked for in, first to last."""
    package = Path(__file__).resolve().parent
    chosen = [Path(name) for name in os.environ.get("ADAIN_WEIGHTS", "").split(os.pathsep) if name]
    folders = [*chosen, package.parent / "weights", package / "model_files"]
    with suppress(AdaINError):
        folders.append(cache_folder())
    return folders


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


def onnx_files(model: registry.Model, *precisions: str) -> list[str]:
    """The names of a model's ONNX files in these precisions, the one for other programs included.

    Each is there once, though a part's file may serve several precisions.
    """
    parts = (*model.parts, WHOLE)
    return [*dict.fromkeys(onnx_file(model.name, part, p) for p in precisions for part in parts)]


def model_files(model: str) -> list[str]:
    """The names of all files that belong to a model: the ONNX files, and what they are made of."""
    row = about(model)
    made_of = [row.source, *([row.encoder.names[0]] if row.encoder else [])]
    return [*onnx_files(row, *row.precisions), *made_of]


def how_to_get(model: registry.Model, precision: str = "fp32") -> str:
    """What brings a model's files, in a few words."""
    if precision == "int8":
        command = f"adain quantize --model {model.name} PHOTOS_DIR PAINTINGS_DIR -o ~/.cache/adain"
        return f"`{command}` makes it"
    return model.get


def find_model(model: str, precision: str = "fp32") -> dict[str, Path]:
    """A model's ONNX files by part; AdaINError where one is missing, or never was."""
    row = about(model)
    if precision not in row.precisions:
        raise found_error("precision", repr(precision), f"{one_of(row.precisions)} ({model})")
    get = how_to_get(row, precision)
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
    """Delete the files of a model that is not trained here from the user's cache; those deleted.

    VGG-19 stays for other models. Raises AdaINError for other models, and where nothing is there.
    """
    row = about(model)
    if row.trained:
        others = [name for name in BUILT_IN if not BUILT_IN[name].trained]
        allowed = f"{', '.join(others)} or an imported model"
        raise found_error("model", f"{model!r}, which this project trains", allowed)
    # The mark first: without it nobody takes what is left for a model.
    names = [registry.mark_file(model), *model_files(model)]
    paths = [cache_folder() / name for name in names if name not in PUBLISHED_VGG19.names]
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
