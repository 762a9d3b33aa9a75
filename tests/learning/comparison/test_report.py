from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from comparing import SIZE

from adain.learning.comparison.results import Compared
from adain.learning.evaluation.sheets import GAP


def test_the_contact_sheet_has_all_pictures(folder: Path, compared: Compared) -> None:
    with Image.open(folder / "contact-sheet.png") as sheet:
        assert sheet.width == 7 * (SIZE + GAP) - GAP
        for column, result in enumerate(compared.results, 2):
            left = column * (SIZE + GAP)
            found = sheet.crop((left, sheet.height - SIZE, left + SIZE, sheet.height))
            with Image.open(result.picture) as picture:
                np.testing.assert_array_equal(np.asarray(found), np.asarray(picture))
