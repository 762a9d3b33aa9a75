"""The first minute on the page, once, in a real browser."""

import pytest
from click.testing import CliRunner

pytest.importorskip("gradio")
pytest.importorskip("playwright.sync_api")

from benchmarks.first_minute import main

# What each errand may cost a person; more is a page that has become worse.
ACTIONS = {
    "the page opened, a result shown": 0,
    "own photo in, and painted": 2,
    "another style": 1,
    "its strength": 1,
    "a third style": 1,
    "back to the result before": 1,
    "saved in full size": 2,
    "a photo dropped on the result": 1,
    "a photo pasted": 1,
    "before and after": 1,
    "all of it again after a reload": 1,
}


@pytest.mark.usefixtures("chromium")
def test_every_errand_succeeds_in_few_actions() -> None:
    done = CliRunner().invoke(main, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    rows = [
        [cell.strip() for cell in row.strip("|").split("|")] for row in done.output.splitlines()
    ]
    assert rows[0] == ["errand", "actions", "seconds"]
    assert {what: int(actions) for what, actions, _ in rows[2:]} == ACTIONS
    assert all(float(seconds) >= 0 for *_, seconds in rows[2:])
