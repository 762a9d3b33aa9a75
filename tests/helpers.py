"""What several test files call."""

from collections.abc import Callable

import numpy as np
import pytest

from adain.errors import AdaINError


def error_of(call: Callable[[], object]) -> str:
    """The message of the AdaINError that a call raises, which is one line."""
    with pytest.raises(AdaINError) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    return message


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """The mean absolute difference of two uint8 pictures, where 1 is from black to white."""
    return float(np.abs(a.astype(float) - b).mean() / 255)
