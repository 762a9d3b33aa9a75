"""The nodes in ComfyUI itself: its server loads them, checks workflows and runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from serving import PATIENCE
from websockets.sync import client as websockets

from adain import Stylizer
from adain.drawings import catalog
from tools.browser import browsing, free_port

ROOT = Path(__file__).resolve().parents[2]
NODES = ROOT / "integrations" / "comfyui"
# Seconds for what takes ComfyUI one: it imports PyTorch, transformers and a hundred node files.
STARTING = 5 * PATIENCE


class ComfyUI:
    """A server of ComfyUI whose folders of inputs and outputs are in ``base``."""

    def __init__(self, checkout: Path, base: Path) -> None:
        self.base = base
        (base / "custom_nodes").mkdir(parents=True)
        (base / "custom_nodes" / "adain").symlink_to(NODES)
        (base / "input").mkdir()
        port = free_port()
        command = [checkout / ".venv" / "bin" / "python", checkout / "main.py", "--cpu"]
        command += ["--port", str(port), "--base-directory", base]
        command += ["--database-url", f"sqlite:///{base / 'comfyui.db'}"]
        self.process = subprocess.Popen(
            command,
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        host = f"127.0.0.1:{port}"
        self.socket = f"ws://{host}/ws"
        self.client = httpx.Client(base_url=f"http://{host}", trust_env=False, timeout=PATIENCE)

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(self.process.stdout)

    def wait_until_ready(self) -> None:
        until = time.monotonic() + STARTING
        while True:
            assert self.process.poll() is None, "".join(self.lines)
            try:
                self.client.get("/system_stats").raise_for_status()
                return
            except httpx.TransportError:
                assert time.monotonic() < until, "".join(self.lines)
                time.sleep(0.2)

    def keep(self, name: str, picture: np.ndarray) -> None:
        """A picture in the input folder."""
        Image.fromarray(picture).save(self.base / "input" / name)

    def queue(self, workflow: dict[str, Any]) -> httpx.Response:
        return self.client.post("/prompt", json={"prompt": workflow})

    def run(self, workflow: dict[str, Any]) -> dict[str, Any]:
        """What ComfyUI's history says of a workflow that has ended, well or not."""
        answer = self.queue(workflow)
        assert answer.status_code == 200, answer.text
        number = answer.json()["prompt_id"]
        until = time.monotonic() + STARTING
        while not (told := self.client.get(f"/history/{number}").json()):
            assert time.monotonic() < until, "".join(self.lines)
            time.sleep(0.05)
        return told[number]

    def pictures(self, workflow: dict[str, Any]) -> list[np.ndarray]:
        """What the node ``out`` has saved."""
        told = self.run(workflow)
        assert told["status"]["status_str"] == "success", told["status"]["messages"]
        saved = told["outputs"]["out"]["images"]
        return [np.asarray(Image.open(self.base / "output" / each["filename"])) for each in saved]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.client.close()


@pytest.fixture(scope="module")
def comfyui(
    tmp_path_factory: pytest.TempPathFactory, photo: np.ndarray, painting: np.ndarray
) -> Iterator[ComfyUI]:
    """ComfyUI, running; skips where `make comfyui` has brought none.

    ``COMFYUI`` names another checkout, with what it needs and this package in its ``.venv``.
    """
    checkout = Path(os.environ.get("COMFYUI") or f"{sys.prefix}/comfyui")
    if not (checkout / "main.py").is_file():
        pytest.skip(f"no ComfyUI in {checkout}: `make comfyui` gets it")
    server = ComfyUI(checkout, tmp_path_factory.mktemp("comfyui"))
    try:
        server.wait_until_ready()
        server.keep("photo.png", photo)
        server.keep("painting.png", painting)
        yield server
    finally:
        server.close()


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def workflow(style: dict[str, Any], **stylize: Any) -> dict[str, Any]:
    """The photo in a style, saved; ``stylize`` changes the node's inputs."""
    inputs = {"image": ["photo", 0], "style": ["style", 0], "strength": 1.0}
    inputs |= {"colours": "the style's", "device": "cpu"} | stylize
    return {
        "photo": node("LoadImage", image="photo.png"),
        "style": style,
        "stylize": node("AdaINStylize", **inputs),
        "out": node("SaveImage", images=["stylize", 0], filename_prefix="found"),
    }


def gallery(name: str) -> dict[str, Any]:
    return node("AdaINGalleryStyle", name=name, model="fast", device="cpu")


DRAWN, OTHER = list(catalog.STYLES)[:2]
GALLERY = gallery(DRAWN)


def off(found: np.ndarray, expected: np.ndarray) -> int:
    """The largest difference in steps of 8 bits: ComfyUI cuts what it saves, and rounds nothing."""
    return int(np.abs(found.astype(int) - expected).max())


def test_the_forms_are_accepted(comfyui: ComfyUI) -> None:
    for name, title in (
        ("AdaINStyleFromImage", "Style from image (AdaIN)"),
        ("AdaINGalleryStyle", "Style from the gallery (AdaIN)"),
        ("AdaINLoadStyle", "Load style (AdaIN)"),
        ("AdaINSaveStyle", "Save style (AdaIN)"),
        ("AdaINMixStyles", "Mix styles (AdaIN)"),
        ("AdaINStylize", "Stylize (AdaIN)"),
    ):
        told = comfyui.client.get(f"/object_info/{name}").json()[name]
        assert told["display_name"] == title and told["category"] == "image/style transfer"
    assert told["input"]["optional"]["mask"][0] == "MASK" and told["output"] == ["IMAGE"]
    assert not any("IMPORT FAILED" in line for line in comfyui.lines if "adain" in line)


def test_a_painting_s_style_half_and_half_with_a_drawn_one(
    comfyui: ComfyUI, stylizer: Stylizer, photo: np.ndarray, painting: np.ndarray
) -> None:
    mixture = node("AdaINMixStyles", first=["own", 0], second=["drawn", 0], share=0.25)
    given = workflow(mixture, strength=0.8) | {
        "painting": node("LoadImage", image="painting.png"),
        "own": node(
            "AdaINStyleFromImage", image=["painting", 0], model="fast", style_size=512, device="cpu"
        ),
        "drawn": GALLERY,
    }
    drawn = stylizer.encode_style(catalog.file_of(DRAWN))
    expected = stylizer.stylize(photo, 0.75 * stylizer.encode_style(painting) + 0.25 * drawn, 0.8)
    (found,) = comfyui.pictures(given)
    assert found.shape == photo.shape and off(found, expected) <= 1


def test_a_batch_where_a_mask_leaves_the_left_as_it_is(
    comfyui: ComfyUI, stylizer: Stylizer, photo: np.ndarray
) -> None:
    """ComfyUI's mask of a picture is 1 where the picture is transparent."""
    alpha = np.full(photo.shape[:2], 255, np.uint8)
    alpha[:, 64:] = 0
    comfyui.keep("half.png", np.dstack([photo, alpha]))
    given = workflow(GALLERY, image=["both", 0], mask=["half", 1]) | {
        "half": node("LoadImage", image="half.png"),
        "both": node("ImageBatch", image1=["photo", 0], image2=["turned", 0]),
        "turned": node("ImageScaleBy", image=["photo", 0], upscale_method="area", scale_by=1.0),
    }
    first, second = comfyui.pictures(given)
    assert np.array_equal(first, second)
    style = stylizer.encode_style(catalog.file_of(DRAWN))
    painted = (alpha == 0).astype(np.float32)
    assert off(first, stylizer.stylize(photo, style, painted)) <= 1
    assert np.array_equal(first[:, :32], photo[:, :32])


def test_a_style_file_is_read_anew_where_it_has_changed(
    comfyui: ComfyUI, stylizer: Stylizer, photo: np.ndarray
) -> None:
    given = workflow(node("AdaINLoadStyle", path="kept.style"))
    for name in list(catalog.STYLES)[:2]:
        style = stylizer.encode_style(catalog.file_of(name))
        style.save(comfyui.base / "input" / "kept.style")
        (found,) = comfyui.pictures(given)
        assert off(found, stylizer.stylize(photo, style)) <= 1


def test_a_style_that_was_saved_is_loaded(
    comfyui: ComfyUI, stylizer: Stylizer, photo: np.ndarray
) -> None:
    """From the output folder, by a path of the form or of another node."""
    save = {"style": GALLERY, "save": node("AdaINSaveStyle", style=["style", 0])}
    for number in (1, 2):
        save["save"]["inputs"]["filename_prefix"] = "mine/own"
        told = comfyui.run(save)
        assert told["status"]["status_str"] == "success", told["status"]["messages"]
        (saved,) = told["outputs"]["save"]["styles"]
        assert saved == {
            "filename": f"own_{number:05}_.style",
            "subfolder": "mine",
            "type": "output",
        }
        # Another one: what has not changed is not run again.
        save["style"] = gallery(OTHER)
    first, second = (stylizer.encode_style(catalog.file_of(name)) for name in (DRAWN, OTHER))
    (found,) = comfyui.pictures(
        workflow(node("AdaINLoadStyle", path="mine/own_00001_.style [output]"))
    )
    assert off(found, stylizer.stylize(photo, first)) <= 1
    text = node("PrimitiveString", value="mine/own_00002_.style [output]")
    given = workflow(node("AdaINLoadStyle", path=["text", 0])) | {"text": text}
    said = len(comfyui.lines)
    (found,) = comfyui.pictures(given)
    assert off(found, stylizer.stylize(photo, second)) <= 1
    assert not any("WARNING" in line for line in comfyui.lines[said:])


def test_mistakes_are_refused_before_anything_runs(comfyui: ComfyUI) -> None:
    (comfyui.base / "input" / "broken.style").write_bytes(b"none")
    for given, node_of, reason in (
        (workflow(GALLERY, strength=2.0), "stylize", "Value 2.0 bigger than max of 1.0"),
        (workflow(gallery("nobody")), "style", "Value not in list"),
        (workflow(node("AdaINLoadStyle", path="gone.style")), "style", "gone.style: found"),
        (workflow(node("AdaINLoadStyle", path="broken.style")), "style", "no style"),
    ):
        answer = comfyui.queue(given)
        assert answer.status_code == 400
        (error,) = answer.json()["node_errors"][node_of]["errors"]
        assert reason in f"{error['message']} {error['details']}"


def test_a_mistake_that_only_running_tells_is_one_line(comfyui: ComfyUI) -> None:
    given = workflow(GALLERY, mask=["three", 0]) | {
        "one": node("SolidMask", value=1.0, width=8, height=8),
        "image": node("MaskToImage", mask=["one", 0]),
        "images": node("RepeatImageBatch", image=["image", 0], amount=3),
        "three": node("ImageToMask", image=["images", 0], channel="red"),
    }
    told = comfyui.run(given)["status"]
    (failure,) = (about for kind, about in told["messages"] if kind == "execution_error")
    assert told["status_str"] == "error" and failure["node_type"] == "AdaINStylize"
    assert failure["exception_message"].strip() == (
        "mask: found [3, 8, 8]; allowed: [H, W] or [1, H, W]"
    )


def test_progress_and_an_end_by_the_button_cancel(comfyui: ComfyUI, photo: np.ndarray) -> None:
    """500 frames of one picture, cancelled after the first: ComfyUI raises where it is told."""
    comfyui.keep("frame.png", np.tile(photo, (4, 4, 1)))
    given = workflow(GALLERY, image=["frames", 0], strength=0.7) | {
        "frame": node("LoadImage", image="frame.png"),
        "frames": node("RepeatImageBatch", image=["frame", 0], amount=500),
    }
    with websockets.connect(comfyui.socket, proxy=None) as socket:
        events = (json.loads(each) for each in socket if isinstance(each, str))
        number = comfyui.queue(given).json()["prompt_id"]
        for event in events:
            if event["type"] == "progress" and event["data"]["max"] == 500:
                break
        comfyui.client.post("/interrupt", json={})
        ends = {"execution_success", "execution_error", "execution_interrupted"}
        last = next(event for event in events if event["type"] in ends)
    assert last["type"] == "execution_interrupted" and last["data"]["prompt_id"] == number


def test_the_example_workflow_in_the_browser(
    comfyui: ComfyUI, chromium: str, stylizer: Stylizer, photo: np.ndarray
) -> None:
    """It is offered among the templates, opens without a missing node, and gives the picture."""
    comfyui.keep("example.png", photo)
    assert comfyui.client.get("/workflow_templates").json() == {"adain": ["stylize"]}
    comfyui.client.post("/settings", json={"Comfy.TutorialCompleted": True})
    template = comfyui.client.get("/api/workflow_templates/adain/stylize.json").json()
    with browsing() as browser:
        page = browser.new_page()
        page.goto(str(comfyui.client.base_url), timeout=STARTING * 1000)
        page.wait_for_function("window.app?.graph && window.comfyAPI", timeout=STARTING * 1000)
        opened = (
            "async graph => { await app.loadGraphData(graph); return await app.graphToPrompt() }"
        )
        given = page.evaluate(opened, template)["output"]
    kinds = {each["class_type"] for each in given.values()}
    assert kinds == {each["type"] for each in template["nodes"]}
    (shown,) = (key for key, each in given.items() if each["class_type"] == "PreviewImage")
    (made,) = comfyui.run(given)["outputs"][shown]["images"]
    own, wave = stylizer.encode_style(photo), stylizer.encode_style(catalog.file_of("great-wave"))
    expected = stylizer.stylize(photo, 0.5 * own + 0.5 * wave, 0.8)
    found = np.asarray(Image.open(comfyui.base / "temp" / made["filename"]))
    assert off(found, expected) <= 1
