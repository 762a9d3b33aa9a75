"""The npm package in Node.js, packed and installed, against our runtime on the same files."""

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import safetensors
from example_files import difference, model_file
from npm_package import NPM, folder, install_packed, kept, node, put

import adain
from adain import Style, Stylizer
from adain.style import KIND

__all__ = ["folder"]  # a fixture, found here by name

# The same weights by another runtime may round a sample the other way.
LEVELS = 1
ERRORS = {
    "Stylizer.create({ device: 'webgpu' })": 'device: found "webgpu"; allowed: auto, cpu',
    "Stylizer.create({ precision: 'fp32' })": 'precision: found "fp32"; allowed: fp16 (inside the'
    " package); with models also fp32",
    "Stylizer.create({ models: 'no/where' })": "models: found nothing to read at"
    " no/where/adain-fast-encoder-fp16.onnx (ENOENT: no such file or directory, open"
    " 'no/where/adain-fast-encoder-fp16.onnx'); allowed: the folder that holds the files of the"
    " model",
    "Stylizer.create({ models: 'wrong' })": "models: found a file at"
    " wrong/adain-fast-style.onnx whose part is undefined; allowed: adain's files of one"
    " export, part style",
    "s.stylize({ ...photo, width: 9 }, style)": "image: found 35433 bytes for 9 x 93 pixels;"
    " allowed: {data, width, height} with RGB or RGBA bytes",
    "s.encodeStyle('photo.jpg')": 'image: found "photo.jpg"; allowed: {data, width, height} with'
    " RGB or RGBA bytes",
    "Remote.create({ threads: 0 })": "threads: found 0; allowed: an integer of at least 1",
    "s.encodeStyle(photo, { maxSide: 0 })": "maxSide: found 0; allowed: an integer of at least 1",
    "s.stylize(photo, photo)": "style: found Object; allowed: a Style, of encodeStyle, Style.load"
    " or Style.mix",
    "s.stylize(photo, style, { strength: NaN })": "strength: found NaN; allowed: a number from 0"
    " (the content) to 1 (the style)",
    "s.stylize(photo, new Style(style.vector, 'fast', 'x'))": "style: found one encoded by model"
    ' "fast" with other weights; allowed: a Style of model "fast" and the same weights',
    "Style.load(style.save().subarray(0, 7))": "style: found no style (Offset is outside the bounds"
    " of the DataView); allowed: the bytes of a file that Style.save wrote",
    "Style.mix([[style, 1], [style, -1]])": "mix: found [Style,-1]; allowed: pairs [Style, share],"
    " shares of 0 and more, not all 0",
    "worker.stylize(photo, style, { strength: 2 })": "strength: found 2; allowed: a number from 0"
    " (the content) to 1 (the style)",
}


@pytest.fixture(scope="module")
def half() -> Stylizer:
    return Stylizer(precision="fp16", device="cpu")


@pytest.fixture(scope="module")
def cutout(photo: np.ndarray) -> np.ndarray:
    """A disc of the photo, with a soft edge, and black around it."""
    y, x = np.mgrid[0:90, 0:111]
    alpha = np.clip(255 - 12 * (np.hypot(y - 40, x - 60) - 20), 0, 255).astype(np.uint8)
    return np.dstack([photo[:90, :111] * (alpha > 0)[..., None], alpha])


def test_pixels_are_our_runtime_s(
    folder: Path, half: Stylizer, photo: np.ndarray, painting: np.ndarray, cutout: np.ndarray
) -> None:
    contents = {"padded": photo[:93, :127], "tiny": photo[:5, :3], "row": photo[:1, :40]}
    contents["cutout"] = cutout
    large = np.tile(painting, (5, 6, 1))  # is brought down to 512 pixels
    styles = {"small": painting, "large": large, "holes": cutout, "big holes": large_of(cutout)}
    weaker = [("padded", 0.4), ("padded", 0.04), ("cutout", 0)]
    for name, array in {**contents, **styles}.items():
        put(folder, name, array)
    node(
        folder,
        """
        const s = await Stylizer.create();
        for (const name of given.styles) {
          const style = await s.encodeStyle(picture(name));
          for (const content of given.contents)
            keep(`${content} ${name}`, await s.stylize(picture(content), style));
          if (name !== 'small') continue;
          for (const [content, strength] of given.weaker)
            keep(`${content} ${strength}`, await s.stylize(picture(content), style, { strength }));
        }
        """,
        {"contents": list(contents), "styles": list(styles), "weaker": weaker},
    )
    for name, content in contents.items():
        for style, shown in styles.items():
            found = kept(folder, f"{name} {style}", content)
            wanted = half.stylize(content, shown)
            assert difference(found[..., : content.shape[2]], wanted) <= LEVELS, (name, style)
            assert content.shape[2] == 4 or (found[..., 3] == 255).all()
    for name, strength in weaker:
        found = kept(folder, f"{name} {strength}", contents[name])[..., : contents[name].shape[2]]
        assert difference(found, half.stylize(contents[name], painting, strength)) <= LEVELS
    assert np.array_equal(kept(folder, "cutout 0", cutout), cutout)


def large_of(array: np.ndarray) -> np.ndarray:
    return array.repeat(6, axis=0).repeat(6, axis=1)


def test_styles_are_shared_with_python(
    folder: Path, half: Stylizer, photo: np.ndarray, painting: np.ndarray
) -> None:
    put(folder, "painting", painting)
    put(folder, "photo", photo)
    half.encode_style(photo).save(folder / "python.style")
    node(
        folder,
        """
        const s = await Stylizer.create();
        const theirs = Style.load(fs.readFileSync('python.style'));
        const ours = await s.encodeStyle(picture('painting'));
        fs.writeFileSync('again.style', theirs.save());
        fs.writeFileSync('node.style', ours.save());
        fs.writeFileSync('mixed.style', Style.mix([[theirs, 1], [ours, 3]]).save());
        keep('mixed', await s.stylize(picture('photo'), Style.mix([[theirs, 1], [ours, 3]])));
        """,
    )
    theirs, again = ((folder / f"{name}.style").read_bytes() for name in ("python", "again"))
    # The order of the metadata's keys, the one thing that is free, changes from run to run there.
    assert len(theirs) == len(again)
    assert sorted(theirs) == sorted(again)
    size = 8 + int.from_bytes(theirs[:8], "little")
    assert (theirs[:8], theirs[size:]) == (again[:8], again[size:])
    assert json.loads(theirs[8:size]) == json.loads(again[8:size])
    with safetensors.safe_open(str(folder / "node.style"), "numpy") as file:
        assert file.metadata()["kind"] == KIND
    node_style, mixed = (Style.load(folder / f"{name}.style") for name in ("node", "mixed"))
    wanted = half.encode_style(painting)
    assert (node_style.model, node_style.weights) == (wanted.model, wanted.weights)
    np.testing.assert_allclose(node_style.vector, wanted.vector, atol=0.01)
    expected = 0.25 * half.encode_style(photo) + 0.75 * node_style
    np.testing.assert_allclose(mixed.vector, expected.vector, atol=1e-6)
    stylized = half.stylize(photo, mixed)
    assert difference(kept(folder, "mixed", photo)[..., :3], stylized) <= LEVELS


def test_other_files_worker_cache_and_cancelling(
    folder: Path, stylizer: Stylizer, photo: np.ndarray, painting: np.ndarray
) -> None:
    put(folder, "photo", photo)
    put(folder, "painting", painting)
    found = node(
        folder,
        """
        import ort from 'onnxruntime-node';
        import { pathToFileURL } from 'node:url';
        const models = given;
        const s = await Stylizer.create({ models, precision: 'fp32', threads: 1 });
        const photo = picture('photo');
        const style = await s.encodeStyle(picture('painting'));
        keep('fp32', await s.stylize(photo, style));
        let runs = 0;
        const { run } = ort.InferenceSession.prototype;
        ort.InferenceSession.prototype.run = function (...inputs) {
          runs++;
          return run.apply(this, inputs);
        };
        const copy = { ...photo, data: photo.data.slice() };
        const again = await s.stylize(copy, style, { strength: 0.5 });
        const counts = [runs];
        const buffer = Buffer.alloc(4 * 16 * 20, 200);
        const shades = [];
        for (const shade of [200, 40])
          shades.push(await s.stylize({ data: buffer.fill(shade), width: 20, height: 16 }, style));
        await s.stylize(photo, style);
        const isStale = shades[0].data.every((level, k) => level === shades[1].data[k]);
        counts.push(isStale, runs);
        const moves = [0.1, 0.2, 0.3].map((strength) => {
          const aborted = new AbortController();
          return [aborted, s.stylize(photo, style, { strength, signal: aborted.signal })];
        });
        moves[1][0].abort();
        const ends = await Promise.allSettled(moves.map(([, result]) => result));
        counts.push(runs);
        const remote = await Remote.create({ models: pathToFileURL(models), precision: 'fp32' });
        const farStyle = await remote.encodeStyle(picture('painting'));
        const far = await remote.stylize(photo, farStyle, { strength: 0.5 });
        const same = far.data.every((level, k) => level === again.data[k]);
        await s.dispose();
        const disposed = await s.stylize(photo, style).catch((error) => error.message);
        const reasons = ends.map(({ reason }) => reason?.name ?? '');
        console.log(JSON.stringify([counts, reasons, same, disposed]));
        """,
        str(model_file("adain-fast-decoder.onnx").parent),
    )
    disposed = "stylizer: found one that was disposed of; allowed: a new one"
    assert json.loads(found) == [[1, False, 7, 9], ["", "AbortError", ""], True, disposed]
    wanted = stylizer.stylize(photo, painting)
    assert difference(kept(folder, "fp32", photo)[..., :3], wanted) <= LEVELS


def test_errors_are_one_clear_line(folder: Path, photo: np.ndarray) -> None:
    put(folder, "photo", photo[:93, :127])
    (folder / "wrong").mkdir(exist_ok=True)
    for part in ("encoder", "decoder"):
        name = f"adain-fast-{part}-fp16.onnx"
        (folder / "wrong" / name).write_bytes(model_file(name).read_bytes())
    (folder / "wrong" / "adain-fast-style.onnx").write_text("<!doctype html>")
    found = node(
        folder,
        """
        const [s, worker] = [await Stylizer.create(), await Remote.create()];
        const photo = picture('photo');
        const style = await s.encodeStyle(photo);
        const lines = [];
        const line = (e) => (e instanceof AdaINError ? e.message : e.stack);
        for (const call of given)
          lines.push(await eval(`async () => ${call}`)().then(() => 'no error', line));
        console.log(JSON.stringify(lines));
        """,
        list(ERRORS),
    )
    assert dict(zip(ERRORS, json.loads(found), strict=True)) == ERRORS


def test_missing_runtime_is_named(tmp_path: Path) -> None:
    install_packed(tmp_path)
    program = "(await import('adain')).Stylizer.create().catch((e) => console.log(e.message))"
    command = ["node", "--input-type=module", "-e", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert re.fullmatch(
        r"onnxruntime-node: found no package that can be loaded \(.*\);"
        r" allowed: npm install --ignore-scripts onnxruntime-node\n",
        done.stdout,
    )


def test_version_is_the_python_package_s() -> None:
    assert json.loads((NPM / "package.json").read_text())["version"] == adain.__version__
