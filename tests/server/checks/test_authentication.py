"""Names and passwords: several users, and an end to guessing."""

from __future__ import annotations

import base64

import pytest

pytest.importorskip("starlette")

from adain.server.asgi import RefusedError
from adain.server.checks import authentication as module
from adain.server.checks.authentication import FAILURES, Authentication

USERS = (("zoë", "pass: word"), ("b", "c"))


def scope(given: str | None) -> dict[str, object]:
    encoded = base64.b64encode((given or "").encode())
    headers = [] if given is None else [(b"authorization", b"Basic " + encoded)]
    return {"type": "http", "headers": headers}


def test_each_user_is_known_by_name() -> None:
    checked = Authentication(USERS)
    assert checked.needed and not Authentication(()).needed
    for name, password in USERS:
        assert checked.user(scope(f"{name}:{password}"), "1.2.3.4") == name
    for wrong in (None, "", "b:", "b:pass: word", "zoë", ":c"):
        with pytest.raises(RefusedError) as caught:
            checked.user(scope(wrong), "1.2.3.4")
        assert (caught.value.status, caught.value.reason) == (401, "unauthorized")


def test_guesses_are_logged_and_have_an_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    checked = Authentication(USERS)
    for _ in range(FAILURES):
        with pytest.raises(RefusedError, match="another name"):
            checked.user(scope("b:guess"), "1.2.3.4")
    with pytest.raises(RefusedError, match="try again in 60 s") as caught:
        checked.user(scope("b:c"), "1.2.3.4")
    assert caught.value.status == 429 and caught.value.headers["retry-after"] == "60"
    assert checked.user(scope("b:c"), "1.2.3.5") == "b"  # from elsewhere
    now[0] += 61
    assert checked.user(scope("b:c"), "1.2.3.4") == "b"
    assert len(caplog.records) == FAILURES
    assert "1.2.3.4" in caplog.text and "guess" not in caplog.text
