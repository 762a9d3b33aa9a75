"""Model repositories as the Hugging Face Hub has them: ``config.json``, ONNX files in ``onnx/``.

`adain export --hub` writes one, `Stylizer.from_pretrained` reads it, from a folder or the Hub.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adain import registry, weights
from adain.contract import WHOLE
from adain.errors import MissingError, failing, found_error
from adain.files import scratch_folder

CONFIG = "config.json"
# What stands in it as `model_type`, by which the Hub's own libraries tell models apart.
MODEL_TYPE = "adain"
CARD = "README.md"
_CARD = """---
{licence}
library_name: adain
pipeline_tag: image-to-image
tags:
- style-transfer
- adain
- onnx
---

# {name}: arbitrary style transfer

Any photo in the style of any picture, in one pass, by adaptive instance normalisation ([Huang and
Belongie 2017](https://arxiv.org/abs/1703.06868)){about}.

```python
from adain import Stylizer

stylizer = Stylizer.from_pretrained("OWNER/NAME")  # this repository, or a folder with its files
stylizer.stylize("photo.jpg", "painting.jpg", alpha=0.8).save("out.png")
```

In any other language: `onnx/model.onnx` takes two uint8 pictures, `content` [N, H, W, 3] and
`style` [1 or N, h, w, 3], and `alpha`, float32 [1], the strength from 0 to 1, and gives
`stylized`, as large as the content. Nothing is left to do before or after. Its parts are beside
it: a style is encoded once, and a move of the strength takes one pass of the decoder. `_fp16` is
half precision.

**For** repainting photos in the style of paintings and of other pictures never seen in training.
**Not for** anything that needs the content to stay true: faces, text and fine detail change.

Licence: {full}.
"""
_NAME_ON_THE_HUB = r"[\w.-]+/[\w.-]+"


def file_of(part: str, precision: str) -> str:
    """Where a part's file is in a repository, named as transformers.js names parts and types."""
    stem = "model" if part == WHOLE else f"{part}_model"
    precision = registry.precision_of(part, precision)
    return f"onnx/{stem}{'' if precision == 'fp32' else f'_{precision}'}.onnx"


def config_of(row: registry.Model, precisions: list[str]) -> dict[str, Any]:
    """What ``config.json`` holds."""
    about = {"name": row.name, "form": row.form or row.name, "licence": row.licence}
    return {"model_type": MODEL_TYPE, **about, "precisions": precisions}


@dataclass(frozen=True)
class Repository:
    """A repository that is on the disk, and the row of its model."""

    folder: Path
    row: registry.Model

    def files(self, precision: str) -> dict[str, Path]:
        """The model's files by part; AdaINError where one is missing, or never was."""
        if precision not in self.row.precisions:
            allowed = f"{weights.one_of(self.row.precisions)} ({self.folder})"
            raise found_error("precision", repr(precision), allowed)
        found = {part: self.folder / file_of(part, precision) for part in self.row.parts}
        for path in found.values():
            if not path.is_file():
                raise found_error(str(path), "no file", "a repository of `adain export --hub`")
        return found


def open_repository(source: str | os.PathLike[str]) -> Repository:
    """A repository in a folder, or by its ``owner/name`` on the Hub, whose files are then cached.

    Raises AdaINError where it is neither, or of something else than a model of adain's.
    """
    folder = Path(source)
    if not folder.is_dir():
        folder = _fetched(os.fspath(source))
    path = folder / CONFIG
    with failing(str(path), "no description of a model of adain's", "what `adain export` writes"):
        about: Any = json.loads(path.read_bytes())
        if about["model_type"] != MODEL_TYPE or not re.fullmatch(registry.NAME, about["name"]):
            raise ValueError(f"{about['model_type']}, {about['name']}")
        licence = registry.check_licence(about["licence"])
        precisions = tuple(p for p in registry.PRECISIONS if p in about["precisions"])
        get = "`adain export --hub` writes it"
        row = registry.in_form_of(about["form"], about["name"], licence, get, precisions)
        return Repository(folder, row)


def _fetched(name: str) -> Path:
    if not re.fullmatch(_NAME_ON_THE_HUB, name):
        raise found_error(
            "model", f"{name!r}, which is no folder", "a folder, or OWNER/NAME on the Hub"
        )
    try:
        import huggingface_hub
    except ModuleNotFoundError as error:
        raise MissingError(
            f"{name} is no folder, and the Hub needs huggingface-hub: pip install 'adain[hub]'"
        ) from error
    with failing(name, "a repository that cannot be fetched", "OWNER/NAME on the Hub"):
        return Path(huggingface_hub.snapshot_download(name, allow_patterns=[CONFIG, "onnx/*"]))


def write_repository(model: str, folder: Path) -> list[Path]:
    """Write a model's repository into a folder that is empty or not there yet; its files.

    Nothing is exported: the ONNX files, all precisions of them, are those that are here. Raises
    AdaINError where they are not, and leaves ``folder`` as it was.
    """
    row = weights.about(model)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise found_error(str(folder), "what is there already", "an empty folder, or a new one")
    precisions = [p for p in row.precisions if p == "fp32" or model in weights.available_models(p)]
    copied = {}
    # The wheel leaves out those of ``fast``, and the whole file of half precision.
    if row.source not in weights.NOT_IN_WHEEL or weights.look_for(row.source):
        copied["model.safetensors"] = weights.find(row.source, get=row.get)
    for precision in precisions:
        copied |= {
            file_of(part, precision): path
            for part, path in weights.find_model(model, precision).items()
        }
        whole = weights.onnx_file(model, WHOLE, precision)
        if precision == "fp32" or (precision == "fp16" and weights.look_for(whole)):
            copied[file_of(WHOLE, precision)] = weights.find(whole, get=row.get)
    with failing(str(folder), "a folder that cannot be written", "a writable folder"):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with scratch_folder(folder.parent, ".hub-") as scratch:
            (written := scratch / "repository").joinpath("onnx").mkdir(parents=True)
            for name, path in copied.items():
                shutil.copyfile(path, written / name)
            config = json.dumps(config_of(row, precisions), indent=2) + "\n"
            (written / CONFIG).write_text(config, encoding="utf-8")
            (written / CARD).write_text(_card(row), encoding="utf-8")
            if folder.exists():
                folder.rmdir()
            written.rename(folder)
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _card(row: registry.Model) -> str:
    """The model card: what the Hub reads of it, and what people do."""
    licence = "license: mit"
    if row.licence != "MIT":
        named = json.dumps(row.licence)  # which is YAML as well
        licence = f"license: other\nlicense_name: {named}"
    about = f", {row.about}" if row.about else ""
    return _CARD.format(licence=licence, name=row.name, about=about, full=row.licence)


def located(model: str | Repository, precision: str) -> tuple[registry.Model, dict[str, Path]]:
    """A model's row and files by part, of a repository or where weights are looked for."""
    if isinstance(model, Repository):
        return model.row, model.files(precision)
    return weights.about(model), weights.find_model(model, precision)
