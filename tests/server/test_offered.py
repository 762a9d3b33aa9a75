"""The pictures that the server offers: lists, files for browsers to keep, names to use."""

from __future__ import annotations

import io

import httpx
import numpy as np
import pytest
from PIL import Image
from serving import SERVICE, one_line, picture, pixels, serving

from adain import Stylizer
from adain.drawings import catalog
from adain.drawings.photographs import PHOTOGRAPHS
from adain.images import load_image

GROUPS = {"styles": catalog.STYLES, "photos": catalog.CONTENTS}


@pytest.mark.parametrize("group", GROUPS)
def test_every_picture_of_a_list_is_there(client: httpx.Client, group: str) -> None:
    listed = client.get(f"/v1/{group}").json()[group]
    assert [each["name"] for each in listed] == list(GROUPS[group])
    for each in listed:
        answer = client.get(f"/v1/{group}/{each['name']}/picture?max_side=40")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/jpeg"
        assert max(Image.open(io.BytesIO(answer.content)).size) == 40


def test_photographs_have_their_credit(client: httpx.Client) -> None:
    about = {each["name"]: each for each in client.get("/v1/photos").json()["photos"]}
    assert set(about["city"]) == {"name", "title", "description", "credit"}
    assert about["city"]["credit"] == ""
    for name, photo in PHOTOGRAPHS.items():
        assert about[name]["credit"] == photo.credit != ""


@pytest.mark.parametrize("address", ["styles/night", "photos/city"])
def test_a_picture_is_kept_by_browsers(client: httpx.Client, address: str) -> None:
    address = f"/v1/{address}/picture"
    name = address.split("/")[3]
    path = catalog.file_of(name)
    whole = client.get(address)
    assert whole.content == path.read_bytes()
    smaller = client.get(address, params={"max_side": 100})
    wanted = load_image(path, max_side=100).to_array()
    assert np.abs(pixels(smaller.content).astype(int) - wanted).mean() < 8
    for answer in (whole, smaller):
        tag = answer.headers["etag"]
        assert tag.startswith('"') and answer.headers["cache-control"] == "public, max-age=86400"
        for given in (tag, f'"other", W/{tag}', "*"):
            again = client.get(answer.url, headers={"If-None-Match": given})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == tag and "max-age" in again.headers["cache-control"]
        changed = client.get(answer.url, headers={"If-None-Match": '"other"'})
        assert (changed.status_code, changed.content) == (200, answer.content)
        head = client.head(answer.url)
        assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", tag)
        assert head.headers["content-length"] == str(len(answer.content))
    assert whole.headers["etag"] != smaller.headers["etag"]


def test_no_other_names_and_sizes(client: httpx.Client) -> None:
    for group in GROUPS:
        for name in ("nothing", "..%2f..%2fetc%2fpasswd", "x" * 300):
            answer = client.get(f"/v1/{group}/{name}/picture")
            assert answer.status_code == 404
            assert len(one_line(answer)) < 200
        for side in ("15", "1025", "nan"):
            answer = client.get(f"/v1/{group}/night/picture", params={"max_side": side})
            assert answer.status_code == 422
            assert one_line(answer).startswith("max_side: ")


def test_a_content_by_its_name(client: httpx.Client, stylizer: Stylizer) -> None:
    for name in ("city", next(iter(catalog.CONTENTS))):
        fields = {"content_id": name, "style_id": "night", "max_side": "90"}
        answer = client.post("/v1/stylize", files=form(fields))
        path = catalog.file_of(name)
        night = catalog.file_of("night")
        wanted = stylizer.stylize(path, night, max_side=90)
        assert np.array_equal(pixels(answer.content), np.asarray(wanted))


def form(fields: dict[str, str]) -> dict[str, tuple[None, str]]:
    """Fields of multipart/form-data, which httpx sends where there are files."""
    return {name: (None, value) for name, value in fields.items()}


@pytest.mark.parametrize(
    ("content", "name", "status", "said"),
    [
        (picture(), "city", 422, "content, content_id: found both; allowed: one of them"),
        (None, "", 422, "content, content_id: found neither; allowed: one of them"),
        (None, "nothing", 400, "content_id: found 'nothing'; allowed: a name of GET /v1/photos"),
        (None, "night", 400, "content_id: found 'night'; allowed: a name of GET /v1/photos"),
    ],
)
def test_contents_that_are_none(
    client: httpx.Client, content: bytes | None, name: str, status: int, said: str
) -> None:
    files = {"content": ("a.png", content)} if content else {}
    answer = client.post(
        "/v1/stylize",
        files=files | form({"style_id": "night"} | ({"content_id": name} if name else {})),
    )
    assert answer.status_code == status
    assert one_line(answer) == said


def test_behind_a_proxy_and_a_password() -> None:
    options = ("--auth", "ann:secret", "--root-path", "/paint")
    with serving(*options, program=SERVICE) as server, server.client() as client:
        for path in ("/v1/photos", "/v1/photos/city/picture", "/paint/v1/styles/night/picture"):
            assert client.get(path).status_code == 401
            assert client.get(path, auth=("ann", "secret")).status_code == 200
