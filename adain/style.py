"""A style as what it is: a vector that can be kept, mixed and shared."""

import os
import stat
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import safetensors
from safetensors.numpy import save

from adain.errors import AdaINError, failing, found_error
from adain.files import write_atomically

KIND = "adain style"
# The space of styles that are the statistics of VGG-19, whatever the decoder's weights.
VGG19_STATISTICS = "VGG-19 statistics"


@dataclass(frozen=True, eq=False)
class Style:
    """The style of a picture (or a mixture of several), as one model sees it.

    ``vector`` is float32 ``[K]``: for ``vgg19`` the statistics of relu4_1, relu3_1, relu2_1 and
    relu1_1 in VGG-19, of each layer first the means and then the standard deviations; for ``fast``
    what its style network estimates of them. Mixtures are the paper's style interpolation (AdaIN
    eq. 15): ``0.6 * starry + 0.4 * wave``.
    """

    vector: npt.NDArray[np.float32]
    # The model that encoded it.
    model: str
    # What its numbers mean: VGG19_STATISTICS to every model that is told these, whatever its
    # weights; any other name to models of that very space alone, such as those with WCT.
    weights: str = ""

    def __post_init__(self) -> None:
        vector = np.array(self.vector, np.float32)
        if not _is_vector(vector):
            raise AdaINError(
                f"style: found an array of shape {list(vector.shape)}; allowed is a vector of"
                " finite numbers"
            )
        vector.flags.writeable = False
        object.__setattr__(self, "vector", vector)

    def __add__(self, other: "Style") -> "Style":
        if not isinstance(other, Style):
            return NotImplemented
        if self.model != other.model and VGG19_STATISTICS not in (self.weights, other.weights):
            found = f"styles encoded by {self.model!r} and {other.model!r}"
        elif self.weights != other.weights:
            found = f"styles of {_made_by(self)} and of {_made_by(other)}"
        elif self.vector.size != other.vector.size:
            found = f"vectors of {self.vector.size} and {other.vector.size} numbers"
        else:
            found = ""
        if found:
            allowed = "styles encoded by the same model and weights"
            raise found_error("style", f"{found}, whose numbers have different meanings", allowed)
        return Style(self.vector + other.vector, self.model, self.weights)

    def __mul__(self, weight: float) -> "Style":
        if not isinstance(weight, (int, float, np.number)):
            return NotImplemented
        return Style(self.vector * np.float32(weight), self.model, self.weights)

    __rmul__ = __mul__

    def check_for(self, model: str, space: str, size: int) -> None:
        """Raise AdaINError unless a model takes the style: of a space, by ``size`` numbers."""
        shared = space == VGG19_STATISTICS
        if self.model != model and (self.weights != space or not shared):
            found = f"one encoded by model {self.model!r}"
        elif self.weights != space:
            found = f"one encoded by model {self.model!r} with other weights"
        elif self.vector.size < size or (self.vector.size > size and not shared):
            found = f"a vector of {self.vector.size} numbers, not {size}"
        else:
            # A decoder of the paper's form is told the first of the statistics and no more.
            return
        raise found_error("style", found, f"a Style that this Stylizer's model {model!r} encoded")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the style as a safetensors file of a few KB; AdaINError where that cannot be."""
        about = {"model": self.model, "weights": self.weights, "kind": KIND}
        write_atomically(path, save({"style": self.vector}, metadata=about))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Style":
        """Read a file that ``save`` wrote; AdaINError for anything else."""
        name = os.fspath(path)
        with failing(name, "no style", "a file that Style.save wrote"):
            # Opening a pipe would wait for whoever writes to it.
            if not stat.S_ISREG(os.stat(name).st_mode):
                raise LookupError("a folder, pipe or device")
            with safetensors.safe_open(name, "numpy") as file:
                about = file.metadata() or {}
                if about.get("kind") != KIND:
                    raise LookupError("a safetensors file of another kind")
                vector = file.get_tensor("style")
            if not _is_vector(vector):
                raise ValueError("not a vector of finite numbers")
            return cls(vector, about["model"], about["weights"])


def _made_by(style: Style) -> str:
    """Whose numbers a style has, in few words."""
    if style.weights == VGG19_STATISTICS:
        return f"{style.model!r}, {VGG19_STATISTICS}"
    return f"{style.model!r} with weights {style.weights[:12] or 'unknown'}"


def _is_vector(array: npt.NDArray[np.float32]) -> bool:
    return array.ndim == 1 and bool(np.isfinite(array).all())
