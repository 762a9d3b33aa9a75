"""Contact sheets of models' pictures, and a page that turns them: what ``adain gallery`` writes.

Every image of ``EVAL_DIR/content`` in every style of ``EVAL_DIR/style``, by each model. A sheet for
each style shows all contents at several strengths, a sheet for each content shows it in all styles
at the last of them, and ``index.html`` turns the pages: the arrow keys go to the next sheet and to
the next model.
"""

import html
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from urllib.parse import quote

import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from adain.errors import AdaINError, found_error
from adain.files import make_folder, write_atomically
from adain.images import load_image, save_image
from adain.learning.evaluation import sheets
from adain.learning.evaluation.scoring import Stylization
from adain.learning.labels import labels
from adain.learning.memory import keep_freed_memory
from adain.learning.models.fast import Fast
from adain.learning.models.networks import VGG19
from adain.learning.models.smoothed import Smoothed
from adain.learning.models.wct import WCT
from adain.learning.tensors import to_tensor
from adain.learning.training.data import find_images

CHECKOUT = Path(__file__).resolve().parents[3]
QUALITY = 88


def images_by_name(folder: Path) -> dict[str, Path]:
    """The images in a folder by their names without suffix, numbered where two have one name."""
    return labels(find_images(folder))


def strengths(text: str) -> list[float]:
    """Numbers in [0, 1] separated by commas; AdaINError for anything else."""
    try:
        alphas = [float(part) for part in text.split(",")]
    except ValueError:
        alphas = [-1]
    if not all(0 <= alpha <= 1 for alpha in alphas):
        raise found_error("--alpha", repr(text), "numbers from 0 to 1, separated by commas")
    return alphas


def outside_checkout(folder: Path) -> Path:
    """The folder itself; AdaINError where it lies inside the checkout this code runs from."""
    if folder.resolve().is_relative_to(CHECKOUT):
        # People's photographs and paintings, and what is made from them, are not ours to publish.
        allowed = "a folder outside of it, since these pictures must not be published"
        raise found_error(str(folder), f"a folder in the checkout {CHECKOUT}", allowed)
    return folder


def load_sized(path: Path, size: int, stride: int) -> Tensor:
    """An image ``[1, 3, H, W]``: its long side brought to ``size``, both to multiples of stride."""
    picture = load_image(path)
    scale = size / max(picture.width, picture.height) / stride
    width, height = (
        max(2, round(side * scale)) * stride for side in (picture.width, picture.height)
    )
    return to_tensor(picture.resized(width, height))


def to_pil(image: Tensor) -> Image.Image:
    """An image ``[1, 3, H, W]`` in [0, 1] as an 8-bit picture."""
    return Image.fromarray((image[0].permute(1, 2, 0) * 255).round().byte().numpy())


@torch.inference_mode()
def make_sheets(
    stylize: Callable[[Path, Path, float], Tensor],
    image: Callable[[Path], Tensor],
    contents: Mapping[str, Path],
    styles: Mapping[str, Path],
    alphas: Sequence[float],
    folder: Path,
    label: str,
) -> list[str]:
    """Write a model's sheets into an existing folder; their names, styles' first.

    ``image`` gives an image by its path. ``label`` is the model on the sheets, and stands before
    the progress bar on stderr.
    """
    names = []
    photos = {name: to_pil(image(path)) for name, path in contents.items()}
    paintings = {name: to_pil(image(path)) for name, path in styles.items()}
    strongest: dict[str, dict[str, Image.Image]] = {name: {} for name in contents}
    count = len(contents) * len(styles) * len(alphas)
    with tqdm(total=count, desc=label, unit="picture", leave=False) as bar:
        for style, painting in paintings.items():
            rows = []
            for content, photo in photos.items():
                row = [photo]
                for alpha in alphas:
                    row.append(to_pil(stylize(contents[content], styles[style], alpha)))
                    bar.update()
                rows.append((content, row))
                strongest[content][style] = row[-1]
            columns = ["content", *(f"strength {alpha:g}" for alpha in alphas)]
            names.append(f"style-{style}.jpg")
            page = sheets.style_sheet(f"{style}, {label}", painting, columns, rows)
            save_image(page, folder / names[-1], quality=QUALITY)
    for content, photo in photos.items():
        names.append(f"content-{content}.jpg")
        title = f"{content}, {label}, strength {alphas[-1]:g}"
        page = sheets.content_sheet(title, photo, strongest[content], paintings)
        save_image(page, folder / names[-1], quality=QUALITY)
    return names


def index_page(about: str, models: Mapping[str, str], names: Sequence[str]) -> str:
    """The page that shows the sheets ``names``, which lie in a folder for each model.

    ``models`` are the names of the folders by the models' labels. The page needs nothing else.
    """
    rows = []
    for name in names:
        kind, _, title = name.removesuffix(".jpg").partition("-")
        links = " ".join(
            f'<a href="{quote(f"{folder}/{name}")}">{html.escape(label)}</a>'
            for label, folder in models.items()
        )
        rows.append(f'<tr class="{kind}"><th>{html.escape(title)}</th><td>{links}</td></tr>')
    template = Path(__file__).with_name("gallery.html").read_text(encoding="utf-8")
    return template.replace("{about}", html.escape(about)).replace("{rows}", "\n".join(rows))


def _readable(
    images: Mapping[str, Path], image: Callable[[Path], Tensor], report: Callable[[str], object]
) -> dict[str, Path]:
    """The images that can be read; AdaINError where there is none."""
    found, trouble = {}, None
    for name, path in images.items():
        try:
            image(path)
        except AdaINError as error:
            trouble = error
            report(f"left out: {error}")
        else:
            found[name] = path
    if trouble is not None and not found:
        raise trouble
    return found


def write_gallery(
    models: Mapping[str, Fast | VGG19 | WCT | Smoothed],
    contents: Mapping[str, Path],
    styles: Mapping[str, Path],
    output: Path,
    *,
    alphas: Sequence[float],
    size: int,
    note: str,
    report: Callable[[str], object] = lambda line: None,
) -> str:
    """Write contact sheets of every content in every style, and index.html; a line to print.

    Models, contents and styles come by name. ``size``: the pictures' long side in pixels;
    ``note``: what the page says of the weights. Images that cannot be read are left out, and
    ``report`` says so. Raises AdaINError where none is left, and for folders that cannot be
    written.
    """
    keep_freed_memory()
    stride = max(model.stride for model in models.values())
    image = cache(lambda path: load_sized(path, size, stride))
    contents, styles = (_readable(images, image, report) for images in (contents, styles))
    folders = {label: label.replace(" ", "-") for label in models}
    written: list[str] = []
    for label, model in models.items():
        target = output / folders[label]
        make_folder(target)
        stylize = Stylization(model, image)
        written = make_sheets(stylize, image, contents, styles, alphas, target, label)
    about = f"{len(contents)} contents, {len(styles)} styles, long side {size} px; {note}"
    write_atomically(output / "index.html", index_page(about, folders, written).encode())
    return f"{output / 'index.html'}: {len(written) * len(models)} sheets"
