"""The command line as a user meets it: a process, its streams, its exit status, its files."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import adain
from adain import Stylizer, weights

PACKAGE = Path(adain.__file__).resolve().parent
STYLIZE = ("stylize", "photo.png", "style.png", "-o", "out.png")
BOTH = ("stylize", "photo.png", "style.png", "other.png", "-o", "out.png")
IMPORT = ("models", "import", "notes.pth", "--name")
Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def installations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copies of the package where nothing else is found: with the files of `fast`, and without."""
    folder = tmp_path_factory.mktemp("installations")
    for name in ("whole", "bare"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PACKAGE, folder / name / "adain", ignore=ignored)
    (folder / "whole" / "weights").mkdir()
    for precision in weights.precisions("fast"):
        if "fast" in weights.available_models(precision):
            for file in weights.find_model("fast", precision).values():
                shutil.copy(file, folder / "whole" / "weights")
    (folder / "no learn").mkdir()
    for module in ("torch", "onnxscript"):
        source = "raise ImportError('not in this environment')\n"
        (folder / "no learn" / f"{module}.py").write_text(source)
    return folder


@pytest.fixture
def folder(tmp_path: Path, photo: np.ndarray, painting: np.ndarray) -> Path:
    """A folder with a photo and a style, in which commands run."""
    Image.fromarray(photo).save(tmp_path / "photo.png")
    Image.fromarray(painting).save(tmp_path / "style.png")
    return tmp_path


@pytest.fixture
def run(installations: Path, folder: Path) -> Callable[..., Done]:
    def run(*arguments: str | bytes, package: str = "whole", before: str = "nothing") -> Done:
        env = os.environ | {
            "PYTHONPATH": f"{installations / before}{os.pathsep}{installations / package}",
            "ADAIN_WEIGHTS": str(installations / "nothing"),
            "XDG_CACHE_HOME": str(installations / "cache"),
            "PYTHONIOENCODING": "utf-8:strict",
        }
        command = [sys.executable, "-m", "adain", *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=folder, env=env, timeout=300
        )

    return run


def succeeded(done: Done) -> str:
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def refused(done: Done, *words: str) -> None:
    """One line, exit status 2, no traceback."""
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ") and done.stderr.endswith("\n")
    assert done.stderr.count("\n") == 1 and "Traceback" not in done.stderr
    assert not [word for word in words if word not in done.stderr], done.stderr


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


# adain stylize


def test_stylize_writes_what_the_library_gives(run, folder, stylizer, photo, painting):
    said = succeeded(run(*STYLIZE, "--device", "cpu"))
    assert said.startswith("out.png: 128 x 96, model fast on cpu, ") and said.count("\n") == 1
    assert np.array_equal(pixels(folder / "out.png"), stylizer.stylize(photo, painting))
    assert sorted(os.listdir(folder)) == ["out.png", "photo.png", "style.png"]


def test_options(run, folder, stylizer, painting):
    succeeded(run(*STYLIZE, "--device", "cpu", "--alpha", "0.3", "--max-side", "50"))
    expected = np.asarray(stylizer.stylize(folder / "photo.png", painting, 0.3, max_side=50))
    assert expected.shape == (38, 50, 3)
    assert np.array_equal(pixels(folder / "out.png"), expected)
    succeeded(run(*STYLIZE, "--device", "cpu", "--smooth", "0.5"))
    expected = np.asarray(stylizer.stylize(folder / "photo.png", painting, smooth=0.5))
    assert np.array_equal(pixels(folder / "out.png"), expected)


def test_several_styles(run, folder, stylizer, photo, painting):
    other = painting[::-1]
    Image.fromarray(other).save(folder / "other.png")
    succeeded(run(*BOTH, "--device", "cpu"))
    expected = stylizer.stylize(photo, [painting, other])
    assert np.array_equal(pixels(folder / "out.png"), expected)
    arguments = ("--style-share", "3", "--style-share", "1", "--style-size", "64")
    succeeded(run(*BOTH, "--device", "cpu", *arguments, "--colours", "matched"))
    how = {"style_weights": [3, 1], "style_size": 64, "colours": "matched"}
    files = [folder / "style.png", folder / "other.png"]
    expected = stylizer.stylize(photo, files, **how)
    assert np.array_equal(pixels(folder / "out.png"), expected)


def test_masks_and_maps(run, folder, stylizer, photo, painting):
    other, mask = painting[::-1], np.arange(0, 250, 25, dtype=np.uint8)[None]
    Image.fromarray(other).save(folder / "other.png")
    for name, levels in (("mask", mask), ("rest", 255 - mask)):
        Image.fromarray(levels).save(folder / f"{name}.png")
    masks = ("--mask", "mask.png", "--mask", "rest.png")
    succeeded(run(*BOTH, "--device", "cpu", *masks, "--colours", "luminance"))
    how = {"masks": [mask, 255 - mask], "colours": "luminance"}
    expected = stylizer.stylize(photo, [painting, other], **how)
    assert np.array_equal(pixels(folder / "out.png"), expected)
    succeeded(run(*STYLIZE, "--device", "cpu", "--alpha-map", "mask.png", "--alpha", "0.6"))
    expected = stylizer.stylize(photo, painting, 0.6 * (mask / 255))
    difference = pixels(folder / "out.png") - expected.astype(int)
    assert np.abs(difference).max() <= 1


def test_threads_and_precision(run, folder, stylizer, photo, painting):
    succeeded(run(*STYLIZE, "--device", "cpu", "--threads", "1", "--precision", "fp32"))
    difference = pixels(folder / "out.png") - stylizer.stylize(photo, painting).astype(int)
    assert np.abs(difference).max() <= 1
    if "fast" not in weights.available_models("fp16"):
        pytest.skip("no float16 files of fast here; `python -m export --model fast` makes them")
    succeeded(run(*STYLIZE, "--device", "cpu", "--precision", "fp16", "--memory-limit", "1GB"))
    difference = pixels(folder / "out.png") - stylizer.stylize(photo, painting).astype(int)
    assert 0 < np.abs(difference).mean() <= 1


def test_rotated_photo_comes_out_upright(run, folder):
    camera = Image.Exif()
    camera[0x0112] = 6
    with Image.open(folder / "photo.png") as photo:
        photo.save(folder / "photo.jpg", exif=camera)
    succeeded(run("stylize", "photo.jpg", "style.png", "-o", "out.jpg"))
    with Image.open(folder / "out.jpg") as out:
        assert (out.format, out.size, out.getexif().get(0x0112, 1)) == ("JPEG", (96, 128), 1)


def test_quality(run, folder):
    for quality in ("20", "95"):
        arguments = ("stylize", "photo.png", "style.png", "-o", f"{quality}.jpg")
        succeeded(run(*arguments, "--quality", quality))
    assert 2 * os.path.getsize(folder / "20.jpg") < os.path.getsize(folder / "95.jpg")


def test_old_output_is_replaced(run, folder):
    (folder / "out.png").write_text("an old file")
    succeeded(run(*STYLIZE))
    assert pixels(folder / "out.png").shape == (96, 128, 3)


@pytest.mark.parametrize("name", [b"out\xff.png", "Ночь 🌃.png".encode(), b" -o.png"])
def test_any_name_will_do(run, folder, name):
    succeeded(run("stylize", "photo.png", "style.png", "-o", name))
    assert os.path.getsize(os.path.join(os.fsencode(folder), name))


LONG = "x" * 300 + ".png"
MISTAKES = {
    "content missing": (("stylize", "no.png", "style.png", "-o", "out.png"), "no.png: found "),
    "style missing": (("stylize", "photo.png", "no.png", "-o", "out.png"), "no.png: found "),
    "text as content": (("stylize", "notes.jpg", "style.png", "-o", "out.png"), "notes.jpg: found"),
    "text as style": (("stylize", "photo.png", "notes.jpg", "-o", "out.png"), "notes.jpg: found"),
    "folder as content": (("stylize", ".", "style.png", "-o", "out.png"), ".: found "),
    "two lines in a name": (("stylize", "a\nb.png", "style.png", "-o", "out.png"), "b.png: found "),
    "long name": (("stylize", LONG, "style.png", "-o", "out.png"), "x.png: found "),
    "unknown suffix": ((*STYLIZE[:-1], "out.xyz"), "out.xyz: found ", ".png"),
    "no suffix": ((*STYLIZE[:-1], "out"), "out: found ", ".png"),
    "no such folder": ((*STYLIZE[:-1], "no/out.png"), "no/out.png: found "),
    "long output": ((*STYLIZE[:-1], LONG), "x.png: found "),
    "folder as output": ((*STYLIZE[:-1], "folder.png"), "folder.png: found "),
    "output is the content": ((*STYLIZE[:-1], "./photo.png"), "photo.png: found one of the inputs"),
    "output is the style": ((*STYLIZE[:-1], "link.png"), "link.png: found one of the inputs"),
    "alpha above 1": ((*STYLIZE, "--alpha", "2"), "alpha: found 2.0; allowed: "),
    "alpha below 0": ((*STYLIZE, "--alpha=-0.1"), "alpha: found -0.1; allowed: "),
    "alpha no number": ((*STYLIZE, "--alpha", "nan"), "alpha: found nan; allowed: "),
    "alpha a word": ((*STYLIZE, "--alpha", "much"), "--alpha", "much"),
    "max-side 0": ((*STYLIZE, "--max-side", "0"), "max_side: found 0; allowed: "),
    "quality 101": ((*STYLIZE, "--quality", "101"), "quality: found 101; allowed: "),
    "unknown device": ((*STYLIZE, "--device", "gpu"), "device: found 'gpu'; allowed: auto, cpu"),
    "device without numbers": ((*STYLIZE, "--device", "coreml:1"), "device: found 'coreml:1'"),
    "no memory": ((*STYLIZE, "--memory-limit", "much"), "memory_limit: found 'much'; allowed: "),
    "little memory": (
        (*STYLIZE, "--device", "cpu", "--memory-limit", "1MB"),
        "photo.png: found 128 x 96 pixels, for which fast takes 2 MB; allowed: ",
        "the memory limit of 1 MB, such as a max_side of ",
    ),
    "no threads": ((*STYLIZE, "--threads", "0"), "threads: found 0; allowed: "),
    "unknown precision": ((*STYLIZE, "--precision", "fp8"), "--precision", "fp8", "fp16"),
    "unknown model": ((*STYLIZE, "--model", "vgg16"), "--model", "vgg16", "fast", "vgg19"),
    "model not here": ((*STYLIZE, "--model", "vgg19"), "`adain models get vgg19`", "searched "),
    "unknown option": ((*STYLIZE, "--bogus"), "--bogus"),
    "no arguments": (("stylize",), "CONTENT"),
    "no output": (STYLIZE[:3], "--output"),
    "second style missing": ((*STYLIZE, "more.png"), "more.png: found "),
    "no style": (("stylize", "photo.png", "-o", "out.png"), "STYLE"),
    "one mask for two": ((*BOTH, "--mask", "mask.png"), "masks: found 1 for 2 styles; allowed: "),
    "mask missing": ((*STYLIZE, "--mask", "no.png"), "mask 1: no.png: found "),
    "text as mask": ((*STYLIZE, "--mask", "notes.jpg"), "mask 1: notes.jpg: found "),
    "output is the mask": ((*STYLIZE[:-1], "mask.png", "--mask", "mask.png"), "one of the inputs"),
    "output is the map": ((*STYLIZE[:-1], "mask.png", "--alpha-map", "mask.png"), "the inputs"),
    "map missing": ((*STYLIZE, "--alpha-map", "no.png"), "--alpha-map: no.png: found "),
    "alpha of a map": ((*STYLIZE, "--alpha-map", "mask.png", "--alpha", "2"), "alpha: found 2.0"),
    "share for two": ((*BOTH, "--style-share", "1"), "style weights: found 1 for 2 styles; "),
    "share below 0": ((*STYLIZE, "--style-share=-1"), "style weights: found [-1.0]; allowed: "),
    "unknown colours": (
        (*STYLIZE, "--colours", "grey"),
        "--colours: found",
        "'grey'",
        "style, matched or luminance",
    ),
    "style-size 0": ((*STYLIZE, "--style-size", "0"), "style_size: found 0; allowed: "),
    "unknown command": (("paint",), "paint"),
    "get what": (("models", "get"), "fast", "vgg19"),
    "get unknown": (("models", "get", "vgg16"), "vgg16", "fast, vgg19 or paper"),
    "import what": (("models", "import", "--name", "mosaic"), "FILE"),
    "import as what": (("models", "import", "notes.pth"), "--name"),
    "import as fast": ((*IMPORT, "fast"), "--name: found 'fast', which is built in; allowed: "),
    "import as a file": ((*IMPORT, "my-style"), "--name: found 'my-style'; allowed: "),
    "import as a path": ((*IMPORT, "../mosaic"), "--name: found '../mosaic'; allowed: 1 to 40"),
    "no licence": ((*IMPORT, "mosaic", "--licence", ""), "--licence: found 0 characters; allowed"),
    "import text": ((*IMPORT, "mosaic"), "notes.pth: found a file that cannot be read"),
    "import nothing": (("models", "import", "no.pth", "--name", "mosaic"), "found no such file"),
    "import a picture": (("models", "import", "photo.png", "--name", "mosaic"), ".png", ".pth"),
    "import text as paper": ((*IMPORT, "paper"), "notes.pth: found a file that cannot be read"),
    "licence of paper": (
        (*IMPORT, "paper", "--licence", "MIT"),
        "--licence: found 'MIT'; allowed: ",
    ),
    "remove what is built in": (("models", "remove", "fast"), "found 'fast', which this project"),
    "remove what is not here": (("models", "remove", "paper"), "found no file of 'paper' in "),
    "remove unknown": (("models", "remove", "mosaic"), "mosaic", "fast, vgg19 or paper"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake(run, folder, mistake):
    (folder / "notes.jpg").write_text("not a picture")
    (folder / "notes.pth").write_text("not a decoder")
    (folder / "folder.png").mkdir()
    Image.new("L", (5, 4), 128).save(folder / "mask.png")
    shutil.copy(folder / "style.png", folder / "other.png")
    (folder / "link.png").symlink_to("style.png")
    arguments, *words = MISTAKES[mistake]
    before = {path: path.is_file() and path.read_bytes() for path in folder.iterdir()}
    refused(run(*arguments), *words)
    assert {path: path.is_file() and path.read_bytes() for path in folder.iterdir()} == before


def test_cuda_where_it_cannot_run(run, folder):
    if Stylizer().device != "cpu":
        pytest.skip("CUDA runs here")
    refused(run(*STYLIZE, "--device", "cuda"), "device: found 'cuda'", "install adain[gpu]")
    assert not (folder / "out.png").exists()


# adain, adain models


def test_version(run):
    assert succeeded(run("--version")).split() == ["adain,", "version", adain.__version__]


@pytest.mark.parametrize("command", [(), ("stylize",), ("train",)])
def test_help_shows_examples(run, command):
    said = succeeded(run(*command, "--help"))
    examples = said[said.index("Examples:") :].splitlines()[1:]
    name = " ".join(("adain", *command))
    assert examples and all(line.strip().startswith("adain ") for line in examples)
    assert [line for line in examples if line.strip().startswith(name)]


def test_no_command_shows_help(run):
    done = run()
    assert (done.returncode, done.stdout) == (2, "")
    assert "stylize" in done.stderr and "Traceback" not in done.stderr


def test_models_lists_what_is_here_and_what_is_not(run, installations):
    said = succeeded(run("models"))
    for file in (installations / "whole" / "weights").iterdir():
        size = f"{file.stat().st_size / 1e6:.1f} MB"
        (line,) = [line for line in said.splitlines() if line.endswith(f" {file}")]
        assert line.split() == [file.name, *size.split(), "sha256", weights.sha256(file), str(file)]
    names = ("fast: ", "vgg19: ", "paper: ")
    fast, vgg19, paper = (next(s for s in said.splitlines() if s.startswith(m)) for m in names)
    assert fast.startswith("fast: ready in fp32") and "adain models get vgg19" in vgg19
    assert "adain models get paper" in paper
    missing = [line.split()[0] for line in said.splitlines() if line.endswith(" missing")]
    assert {"adain-vgg19-encoder.onnx", "adain-vgg19-decoder.onnx"} <= set(missing)
    # What a wheel leaves out on purpose is not missing; what it brings would be.
    assert "adain-fast.onnx" in missing and not set(weights.NOT_IN_WHEEL) & set(missing)
    for name, instead in weights.NOT_IN_WHEEL.items():
        (line,) = [line for line in said.splitlines() if line.split()[0] == name]
        assert line.endswith(f"not in the wheel: {instead}")
    assert f"searched: {installations / 'nothing'}, " in said


def test_get_what_is_here(run, installations):
    for precision in weights.precisions("fast"):
        if "fast" not in weights.available_models(precision):
            pytest.skip(f"no files of fast in {precision}; `python -m export` makes them")
    said = succeeded(run("models", "get", "fast"))
    files = sorted((installations / "whole" / "weights").iterdir())
    assert sorted(said.splitlines()) == [f"{file}: ready" for file in files]


def test_installation_without_its_files(run, folder, installations):
    place = str(installations / "bare" / "adain" / "model_files")
    words = ("adain-fast-encoder.onnx not found; searched ", place, "pip install")
    refused(run(*STYLIZE, package="bare"), *words)
    refused(run("models", "get", "fast", package="bare"), *words)
    assert not (folder / "out.png").exists()
    said = succeeded(run("models", package="bare"))
    assert "fast: not here; " in said and "pip install" in said and "ready" not in said


# Without PyTorch


def test_stylize_needs_no_torch(run, folder):
    succeeded(run(*STYLIZE, before="no learn"))
    assert pixels(folder / "out.png").shape == (96, 128, 3)


@pytest.mark.parametrize(
    "command",
    [
        ("models", "get", "vgg19"),
        ("models", "get", "paper"),
        (*IMPORT, "mosaic"),
        ("train", "a", "b", "-o", "run"),
    ],
)
def test_learning_without_torch_says_what_to_install(run, folder, command):
    refused(run(*command, before="no learn"), "torch", "not in this environment", "adain[learn]")
    assert not (folder / "run").exists()
