"""What the service counts."""

from __future__ import annotations

import httpx
from serving import Demo, picture


def test_requests_pictures_and_devices_are_counted(running: Demo, client: httpx.Client) -> None:
    before = running.number("adain_pictures_total")
    content = picture(seed=3)
    for _ in range(2):
        files = {"content": ("a.png", content), "style": ("b.png", content)}
        assert client.post("/v1/stylize", files=files).status_code == 200
    assert running.number("adain_pictures_total") == before + 2
    assert running.number("adain_queue_length") == 0
    assert running.number("adain_cache_hits_total") >= 1
    assert running.number('adain_device_info{device="cpu",model="fast"}') == 1
    route = '{method="POST",route="/v1/stylize",status="200"}'
    assert running.number(f"adain_requests_total{route}") >= 2
    assert running.number('adain_request_seconds_count{route="/v1/stylize"}') >= 2
