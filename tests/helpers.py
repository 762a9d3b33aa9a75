"""What several test files call."""

from collections.abc import Callable

import pytest

from adain.errors import AdaINError


def error_of(call: Callable[[], object]) -> str:
    """The message of the AdaINError that a call raises, which is one line."""
    with pytest.raises(AdaINError) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    return message
