"""The page where a login is asked for, and below the path of a proxy."""

from __future__ import annotations

from typing import Any

import httpx
from serving import PAGE, serving
from visits import TIMEOUT, Visit


def test_who_signs_in_by_the_form_can_use_the_page(browser: Any) -> None:
    with serving("--auth", "ann:secret", program=PAGE) as demo:
        page = browser.new_page()
        page.set_default_timeout(TIMEOUT * 1000)
        page.goto(demo.address)
        asked = "fetch('v1/styles', { headers: { 'X-Requested-With': 'fetch' } })"
        assert page.evaluate(f"{asked}.then(({{ status }}) => status)") == 401
        page.fill("input[type=text]", "ann")
        page.fill("input[type=password]", "secret")
        page.get_by_role("button", name="Login").click()
        page.wait_for_selector("#result:not(.empty)")
        page.context.close()


def test_below_a_path_the_page_is_whole(browser: Any) -> None:
    with serving(program=PAGE) as demo:
        # As a proxy has it that serves the page below /art, and does not cut the path.
        page = browser.new_page(extra_http_headers={"X-Forwarded-Prefix": "/art"})
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        visit = Visit(page, f"{demo.address}/art/")
        visit.open_result()
        page.close()
        assert visit.complaints == visit.strangers == []
        assert f"{demo.address}/art/v1/stylize" in asked
        assert f"{demo.address}/art/web/studio.js" in asked
        scripts = httpx.get(f"{demo.address}/web/studio.js")
        assert scripts.headers["cache-control"] == "no-cache"
