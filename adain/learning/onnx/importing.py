"""Model builds on the user's machine, in the cache: `vgg19`, `paper`, decoders and networks."""

import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from adain import registry, weights
from adain.errors import AdaINError, failing, found_error
from adain.files import scratch_folder
from adain.learning.models.decoders import read_decoder, verify_published
from adain.learning.models.pretrained import load_vgg19_encoder
from adain.learning.onnx.export import export_model
from adain.published import PUBLISHED_VGG19

# What a model's files take, with some to spare.
NEEDED = 250_000_000


def fetch_encoder(report: Callable[[str], object]) -> None:
    """Fetch the VGG-19 encoder into the cache if it is not here, and verify it."""
    fetched = None
    if weights.look_for(*PUBLISHED_VGG19.names) is None:
        fetched = weights.cache_folder() / PUBLISHED_VGG19.names[-1]
        weights.download(PUBLISHED_VGG19.url, fetched, report)
    try:
        load_vgg19_encoder()
    except AdaINError:
        if fetched is not None:
            fetched.unlink()
        raise


def install(row: registry.Model, report: Callable[[str], object]) -> None:
    """Build a model's files in the cache, from what is here or fetched: VGG-19 and its decoder.

    What is fetched may have been brought to any of the folders that are searched. Raises AdaINError
    where it is not what was published; what was fetched is then deleted.
    """
    if row.decoder is None:
        fetch_encoder(report)
        _say(row.name, report)
        for proof in export_model(row.name, weights.cache_folder()):
            report(str(proof))
        return
    path, fetched = weights.look_for(*row.decoder.names), None
    if path is None:
        path = fetched = weights.cache_folder() / row.decoder.names[-1]
        weights.download(row.decoder.url, path, report)
    try:
        tensors = read_decoder(path)
        verify_published(path, tensors)
        fetch_encoder(report)
        build_files(row, partial(_save, tensors, row), report)
    finally:
        # Once built, the decoder is kept as safetensors.
        if fetched is not None:
            fetched.unlink(missing_ok=True)


def import_decoder(
    file: str | os.PathLike[str], name: str, licence: str | None, report: Callable[[str], object]
) -> None:
    """Make a model ``name`` of a decoder of the paper's form; its files go into the user's cache.

    ``file`` is what `read_decoder` reads; ``licence`` is the decoder's, as its author states it.
    The name ``paper`` is for the decoder released with the paper. All that can be is checked before
    the work, which takes minutes, and nothing is kept where ONNX Runtime does not give what PyTorch
    does. Raises AdaINError, one line, for whatever is wrong.
    """
    released = registry.has_published_decoder(name)
    if not released:
        registry.check_name(name)
        licence = registry.NOT_STATED if licence is None else registry.check_licence(licence)
    elif licence is not None:
        allowed = f"none for {name}: {registry.BUILT_IN[name].licence}"
        raise found_error("--licence", repr(licence), allowed)
    check_free(name)
    tensors = read_decoder(file)
    if released:
        verify_published(Path(file), tensors)
    load_vgg19_encoder()
    row = registry.BUILT_IN[name] if licence is None else registry.imported(name, licence)
    build_files(row, partial(_save, tensors, row), report, licence)


def check_free(name: str) -> None:
    """Raise AdaINError where there is a model of this name."""
    row = registry.BUILT_IN.get(name)
    files = [registry.mark_file(name)] if row is None else weights.onnx_files(row, "fp32")
    taken = weights.look_for(*files)
    if taken is not None:
        allowed = f"a new name, or `adain models remove {name}` first"
        raise found_error("--name", f"{name!r}, which is here already ({taken})", allowed)


def build_files(
    row: registry.Model,
    write: Callable[[Path], object],
    report: Callable[[str], object],
    licence: str | None = None,
) -> None:
    """Write the weights, the ONNX files and, last, an imported model's mark into the cache.

    ``write`` writes the weights to a path that it is given; ``licence`` is an imported model's.
    """
    cache = weights.cache_folder()
    with failing(str(cache), "a folder that cannot be written to", "a writable folder"):
        cache.mkdir(parents=True, exist_ok=True)
    with scratch_folder(cache, ".import-") as folder:
        free = shutil.disk_usage(folder).free
        if free < NEEDED:
            allowed = f"{NEEDED / 1e6:.0f} MB or more"
            raise found_error(str(cache), f"{free / 1e6:.0f} MB of free space", allowed)
        source = folder / row.source
        write(source)
        _say(row.name, report)
        for proof in export_model(row, folder, source=source):
            report(str(proof))
        names = [row.source, *weights.onnx_files(row, *registry.EXPORTED)]
        if licence is not None:
            mark = registry.mark_file(row.name)
            (folder / mark).write_bytes(registry.mark(licence, row.form))
            names.append(mark)
        kept: list[Path] = []
        try:
            with failing(str(cache), "a folder that cannot be written to", "a writable folder"):
                for file in names:
                    os.replace(folder / file, cache / file)
                    kept.append(cache / file)
        except BaseException:
            for path in kept:
                with suppress(OSError):
                    path.unlink()
            raise


def _save(tensors: Mapping[str, Tensor], row: registry.Model, path: Path) -> None:
    save_file(dict(tensors), path, {"format": "pt", "licence": row.licence})


def _say(name: str, report: Callable[[str], object]) -> None:
    report(f"building and checking the ONNX files of {name}, which takes some minutes")
