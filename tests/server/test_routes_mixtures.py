"""Mixtures, masks, painted strength and the brush by REST, as the library has them."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
import numpy as np
import pytest
from PIL import Image
from serving import encoded, one_line, picture, pixels

from adain import Stylizer
from adain.drawings import catalog
from adain.images import load_image

CONTENT, FIRST, SECOND = picture(90, 60, 1), picture(64, 50, 2), picture(50, 70, 3)


def gray(width: int, height: int, seed: int) -> bytes:
    """A map of that size that is 0 on its left and 1 on its right."""
    levels = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    levels[:, : width // 4], levels[:, -width // 4 :] = 0, 255
    return encoded(levels)


def ask(
    client: httpx.Client,
    style: Sequence[bytes] = (),
    mask: Sequence[bytes] = (),
    strength_map: bytes | None = None,
    content: bytes = CONTENT,
    **fields: object,
) -> httpx.Response:
    """`POST /v1/stylize`; a list is a field for each of its values."""
    files = [("content", ("a.png", content))]
    files += [("style", ("b.png", data)) for data in style]
    files += [("mask", ("c.png", data)) for data in mask]
    files += [("strength_map", ("d.png", strength_map))] if strength_map else []
    return client.post("/v1/stylize", files=files, data=fields)


def same(answer: httpx.Response, wanted: Image.Image) -> None:
    assert answer.status_code == 200, answer.text
    assert np.array_equal(pixels(answer.content), np.asarray(wanted))


def test_a_mixture_of_files_and_ids(client: httpx.Client, stylizer: Stylizer) -> None:
    encoded_id = client.post("/v1/styles", files={"file": ("a.png", SECOND)}).json()["id"]
    night = catalog.file_of("night")
    answer = ask(
        client,
        [FIRST],
        style_id=[encoded_id, "night"],
        weight=["0.5", "2", "1.5"],
        alpha="0.9",
    )
    styles = [FIRST, SECOND, night]
    same(answer, stylizer.stylize(CONTENT, styles, 0.9, style_weights=[0.5, 2, 1.5]))
    same(ask(client, [FIRST, SECOND]), stylizer.stylize(CONTENT, [FIRST, SECOND]))


def test_masks_and_a_painted_strength(client: httpx.Client, stylizer: Stylizer) -> None:
    # Larger than the content, smaller, and of its size.
    masks = [gray(180, 120, 4), gray(30, 20, 5)]
    strength = gray(90, 60, 6)
    answer = ask(client, [FIRST, SECOND], masks, strength, alpha="0.7")
    levels = np.float32(0.7) * np.asarray(load_image(strength).rgb[..., 0])
    same(answer, stylizer.stylize(CONTENT, [FIRST, SECOND], levels, masks=masks))
    weighted = ask(client, [FIRST, SECOND], masks, weight=["1", "3"])
    wanted = stylizer.stylize(CONTENT, [FIRST, SECOND], masks=masks, style_weights=[1, 3])
    same(weighted, wanted)
    alone = ask(client, [FIRST], strength_map=strength, max_side="45")
    levels = np.asarray(load_image(strength).rgb[..., 0])
    same(alone, stylizer.stylize(CONTENT, FIRST, levels, max_side=45))


def enlarged(data: bytes, factor: float) -> np.ndarray:
    image = load_image(data)
    return image.resized(round(image.width * factor), round(image.height * factor)).to_array()


def test_the_brush_enlarges_a_style_beyond_its_pixels(
    client: httpx.Client, stylizer: Stylizer
) -> None:
    for brush in (0.5, 2.0):
        answer = ask(client, [FIRST], brush=str(brush))
        wanted = stylizer.stylize(CONTENT, enlarged(FIRST, brush), style_size=None)
        difference = pixels(answer.content).astype(int) - np.asarray(wanted)
        assert abs(difference).max() <= 2  # the style of `wanted` went through 8 bits
    plain = ask(client, [FIRST]).content
    assert ask(client, [FIRST], brush="1").content == plain
    assert ask(client, [FIRST], brush="2").content != plain


def test_the_brush_takes_the_pixels_that_there_are(
    client: httpx.Client, stylizer: Stylizer
) -> None:
    large = picture(640, 400, 7)
    answer = ask(client, [large], brush="1.125", colours="luminance")
    wanted = stylizer.stylize(CONTENT, large, colours="luminance", style_size=576)
    same(answer, wanted)
    # A drawing by its name as if its file were sent.
    night = catalog.file_of("night").read_bytes()
    sent = ask(client, [night], brush="2")
    assert sent.status_code == 200
    assert ask(client, style_id="night", brush="2").content == sent.content


def test_a_field_in_which_no_file_was_chosen_is_none(client: httpx.Client) -> None:
    parts = [("content", "a.png", CONTENT), *((n, "", b"") for n in ("style", "mask"))]
    parts += [("strength_map", "", b""), ("style_id", None, b"night"), ("style_id", None, b"")]
    body = b""
    for name, file, data in parts:  # as a browser sends them, and httpx does not
        head = f'--x\r\nContent-Disposition: form-data; name="{name}"'
        head += "" if file is None else f'; filename="{file}"'
        body += head.encode() + b"\r\n\r\n" + data + b"\r\n"
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = client.post("/v1/stylize", content=body + b"--x--\r\n", headers=kind)
    assert answer.content == ask(client, style_id="night").content


def assert_refused(client: httpx.Client, fields: dict[str, object], status: int, said: str) -> None:
    """Two styles with these fields are refused in one line that begins so."""
    answer = ask(client, **{"style": [FIRST, SECOND], **fields})
    assert answer.status_code == status
    assert one_line(answer).startswith(said)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"weight": ["1"]}, "weight: found 1 for 2 styles; allowed: one for each style"),
        ({"mask": [FIRST]}, "mask: found 1 for 2 styles; allowed: one for each style"),
        ({"weight": ["0", "0"]}, "weight: found 0 for every style; allowed: "),
        ({"weight": ["1", "-1"]}, "weight.1: "),
        ({"weight": ["1", "inf"]}, "weight.1: "),
        ({"weight": ["1", "nan"]}, "weight.1: "),
        ({"style": [FIRST] * 9}, "style: "),
        ({"style_id": ["night"] * 9}, "style_id: "),
        ({"style_id": ["night"] * 7}, "style, style_id: found 9 of them; allowed: 1 to 8 of them"),
        ({"mask": [FIRST] * 9}, "mask: "),
        ({"weight": ["1"] * 9}, "weight: "),
        ({"brush": "0.2"}, "brush: "),
        ({"brush": "nan"}, "brush: "),
        ({"brush": "1", "style_size": "300"}, "style_size, brush: found both; allowed: one of"),
        ({"alpha": ["0.5", "1"]}, "alpha: found 2 of them; allowed: one"),
        ({"weights": ["1", "1"]}, "weights: no such field"),
    ],
)
def test_what_does_not_go_together(
    client: httpx.Client, fields: dict[str, object], said: str
) -> None:
    assert_refused(client, fields, 422, said)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"mask": [gray(30, 20, 1), b"no picture"]}, "mask 2: "),
        ({"style": [FIRST, b"no picture"], "mask": []}, "style 2: "),
        ({"strength_map": b"no picture"}, "strength_map: "),
        ({"style_id": ["gone"], "mask": [gray(9, 9, 1)] * 3}, "style_id: found 'gone'"),
    ],
)
def test_pictures_and_ids_that_are_none(
    client: httpx.Client, fields: dict[str, object], said: str
) -> None:
    assert_refused(client, fields, 400, said)


def test_an_encoded_style_has_no_size_for_a_brush(client: httpx.Client) -> None:
    name = client.post("/v1/styles", files={"file": ("a.png", SECOND)}).json()["id"]
    answer = ask(client, style_id=name, brush="1.5")
    assert answer.status_code == 400
    assert one_line(answer).startswith(f"style_id: found '{name}', a style that is encoded")
