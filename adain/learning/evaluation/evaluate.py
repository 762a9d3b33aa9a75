"""Tables of models' losses and metrics on pairs of images: what ``adain evaluate`` prints.

One Markdown table for the pairs that ``EVAL_DIR/pairs.csv`` lists. Its columns
``content`` and ``style`` name images in the folders of the same names, with or without their
suffix. Every image is resized to a square of 512x512 pixels.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import astuple, fields
from pathlib import Path

from adain.files import check_writable, write_atomically
from adain.learning.evaluation.pairs import Pair
from adain.learning.evaluation.scoring import (
    ContentItself,
    EvaluatedModel,
    Evaluation,
    Scorer,
    Scores,
    score_pairs,
)
from adain.learning.memory import keep_freed_memory
from adain.learning.models.pretrained import PAPER_DECODER, load_vgg19_encoder
from adain.tables import markdown_table

_LOSSES = ("content_loss", "target_loss", "style_loss")
_PSNR = ("PSNR own style (dB)", "PSNR strength 0 (dB)")


def score_table(means: Mapping[str, Scores]) -> str:
    """One row of mean scores for each method."""
    rows = (
        (
            method,
            *(f"{loss:.3f}" for loss in (s.content_loss, s.target_loss, s.style_loss)),
            *(f"{value:.3f}" for value in (1e3 * s.gram_loss, s.ssim)),
            *(f"{value:.2f}" for value in (s.psnr_own_style, s.psnr_strength_0)),
        )
        for method, s in means.items()
    )
    return markdown_table(("method", *_LOSSES, "gram_loss x1e3", "SSIM", *_PSNR), rows)


def ratio_table(means: Mapping[str, Scores], reference: str) -> str:
    """The methods after ``reference``, divided by it; PSNR, a logarithm, as the difference."""
    methods = list(means)
    base = astuple(means[reference])
    rows = []
    for method in methods[methods.index(reference) + 1 :]:
        scores = astuple(means[method])
        ratios = [f"{ours / theirs:.3f}" for ours, theirs in zip(scores[:5], base[:5], strict=True)]
        gains = [f"{ours - theirs:+.2f}" for ours, theirs in zip(scores[5:], base[5:], strict=True)]
        rows.append([method, *ratios, *gains])
    header = (f"relative to the {reference}", *_LOSSES, "gram_loss", "SSIM")
    return markdown_table((*header, *_PSNR), rows)


def write_csv(path: Path, evaluations: Mapping[str, Evaluation]) -> None:
    """Write the scores of every method and pair; AdaINError where the file cannot be written."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["method", "content", "style", *(f.name for f in fields(Scores))])
    for method, evaluation in evaluations.items():
        for pair, scores in zip(evaluation.pairs, evaluation.scores, strict=True):
            values = (f"{value:.6g}" for value in astuple(scores))
            writer.writerow([method, pair.content.stem, pair.style.stem, *values])
    write_atomically(path, text.getvalue().encode(errors="surrogateescape"))


def evaluate_models(
    models: Mapping[str, EvaluatedModel], pairs: Sequence[Pair], *, csv_file: Path | None = None
) -> str:
    """Markdown tables of the mean scores of models, by name, and of the content itself.

    Where the paper's decoder is among several models, a second table divides the others by it.
    ``csv_file`` gets the scores of every pair. Raises AdaINError for images that cannot be read,
    and where the file cannot be written.
    """
    if csv_file is not None:
        # Found out now, not after ten minutes of measuring.
        check_writable(csv_file)
    keep_freed_memory()
    methods: dict[str, EvaluatedModel] = {"content itself": ContentItself(), **models}
    scorer = Scorer(load_vgg19_encoder())
    results = {
        name: score_pairs(model, pairs, scorer, label=name) for name, model in methods.items()
    }
    means = {name: evaluation.mean() for name, evaluation in results.items()}
    tables = score_table(means)
    if PAPER_DECODER in models and len(models) > 1:
        tables += f"\n\n{ratio_table(means, PAPER_DECODER)}"
    if csv_file is not None:
        write_csv(csv_file, results)
    return tables
