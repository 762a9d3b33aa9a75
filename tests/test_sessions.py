"""Where a model runs and what memory it takes: devices, strictness, limits, I/O binding."""

import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from helpers import error_of

from adain import AdaINError, Stylizer, footprint, providers, weights
from adain.amounts import memory_in_bytes
from adain.backends import BACKENDS, Backend

CUDA = providers.trouble_with("cuda", 0, weights.find_model("fast")["encoder"]) is None
PHOTO = np.random.default_rng(0).integers(0, 256, (1024, 1024, 3), np.uint8)


@pytest.fixture
def passive(monkeypatch: pytest.MonkeyPatch) -> str:
    """A device whose provider, really installed, takes no node: all is left to the CPU."""
    if "AzureExecutionProvider" not in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime was built without the Azure provider")
    monkeypatch.setitem(BACKENDS, "azure", Backend("AzureExecutionProvider"))
    monkeypatch.setattr(providers, "trouble_with", providers.trouble_with.__wrapped__)
    return "azure"


# Devices


def test_installed_devices_are_named():
    assert "cpu" in providers.installed()


@pytest.mark.parametrize("device", ["cuda", "tensorrt:1", "directml", "coreml", "openvino"])
def test_device_that_is_not_installed(device, capfd):
    backend = BACKENDS[device.partition(":")[0]]
    if backend.provider in onnxruntime.get_available_providers():
        pytest.skip(f"this ONNX Runtime has the {backend.provider}")
    message = error_of(lambda: Stylizer(device=device))
    has = f"but the installed ONNX Runtime has {', '.join(providers.installed())} alone; "
    assert message == f"device: found {device!r}, {has}{backend.install}"
    assert capfd.readouterr() == ("", "")


def test_device_that_starts_is_reported_by_its_name(passive, photo, painting, stylizer):
    other = Stylizer(device=passive)
    assert other.device == "azure"
    assert np.array_equal(other.stylize(photo, painting), stylizer.stylize(photo, painting))


def test_log_level_of_the_host_program_stays():
    # A verbose host: after a device was tried, its own sessions still say all they do.
    script = (
        "import sys, onnxruntime; from adain import backends, providers, weights\n"
        "onnxruntime.set_default_logger_severity(0); file = weights.find_model('fast')['encoder']\n"
        "backends.BACKENDS['azure'] = backends.Backend('AzureExecutionProvider')\n"
        "print(providers._try('azure', 0, file)); sys.stdout.flush()\n"
        "print('HOST', file=sys.stderr); sys.stderr.flush()\n"
        "onnxruntime.InferenceSession(file, providers=['CPUExecutionProvider'])"
    )
    if "AzureExecutionProvider" not in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime was built without the Azure provider")
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "[I:onnxruntime" in done.stderr.partition("HOST")[2]


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_provider_that_onnx_runtime_leaves_out_is_an_error(monkeypatch, capfd):
    if CUDA:
        pytest.skip("CUDA runs here")
    # As where a GPU build finds no driver: it lists CUDA, and takes the CPU without an exception.
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    monkeypatch.setattr(providers, "trouble_with", providers.trouble_with.__wrapped__)
    message = error_of(lambda: Stylizer(device="cuda:5"))
    assert message.startswith("device: found 'cuda:5', but ONNX Runtime could not start cuda (")
    assert "nvidia-smi" in message and "install adain[gpu]" in message
    assert capfd.readouterr().out == ""


def test_options_of_cuda():
    file = weights.find_model("fast")["encoder"]
    ((name, options),) = providers.providers_of("cuda", 1, file, 10**9)
    assert name == "CUDAExecutionProvider"
    assert (options["device_id"], options["gpu_mem_limit"]) == ("1", "1000000000")
    ((_, options),) = providers.providers_of("cuda", 0, file)
    assert "gpu_mem_limit" not in options and "enable_cuda_graph" not in options


def test_engines_of_tensorrt_belong_to_the_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    engines = []
    for file in weights.find_model("fast").values():
        (first, options), (second, _) = providers.providers_of("tensorrt", 0, file)
        assert (first, second) == ("TensorrtExecutionProvider", "CUDAExecutionProvider")
        engines.append(Path(options["trt_engine_cache_path"]))
    assert len(set(engines)) == len(engines) and all(path.is_dir() for path in engines)


@pytest.mark.skipif(not CUDA, reason="CUDA does not run here")
def test_cuda_agrees_with_the_cpu_strictly_and_within_a_limit(stylizer, photo, painting):
    cuda = Stylizer(device="cuda", strict=True, memory_limit="2GB")
    assert cuda.device == "cuda:0"
    difference = cuda.stylize(photo, painting) - stylizer.stylize(photo, painting).astype(int)
    assert np.abs(difference).mean() < 1


# Strict


def test_strict_refuses_what_is_left_to_the_cpu(passive, capfd):
    message = error_of(lambda: Stylizer(device=passive, strict=True))
    assert message == (
        "strict: found nodes of adain-fast-encoder.onnx that azure leaves to the CPU; allowed: none"
    )
    assert capfd.readouterr() == ("", "")


def test_strict_means_nothing_where_the_cpu_was_asked_for(photo, painting, stylizer):
    strict = Stylizer(device="cpu", strict=True)
    assert np.array_equal(strict.stylize(photo, painting), stylizer.stylize(photo, painting))


@pytest.mark.skipif(CUDA, reason="CUDA runs here")
def test_strict_refuses_an_auto_that_is_the_cpu(caplog):
    with caplog.at_level(logging.INFO):
        message = error_of(lambda: Stylizer(strict=True))
    assert message.startswith("strict: found device='auto' on a machine without CUDA: ")
    assert not caplog.records


# Threads


def test_threads(stylizer, photo, painting):
    count = "import os; threads = len(os.listdir('/proc/self/task'))"
    if not Path("/proc/self/task").is_dir():
        pytest.skip("threads are counted in /proc")
    script = (
        "import os, numpy as np; from adain import Stylizer\n"
        f"{count}; before = threads; s = Stylizer(device='cpu', threads={{}}); {count}\n"
        "print(threads - before)"
    )
    started = []
    for threads in (1, 3):
        command = [sys.executable, "-c", script.format(threads)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        started.append(int(done.stdout))
    # The thread that calls works too; each of the three parts has the others for itself.
    assert started == [0, 6]
    one = Stylizer(device="cpu", threads=1).stylize(photo, painting)
    assert np.abs(one - stylizer.stylize(photo, painting).astype(int)).max() <= 1


@pytest.mark.parametrize("threads", [0, -1, 1.5, "2", True, 1025])
def test_no_number_of_threads(threads):
    message = error_of(lambda: Stylizer(device="cpu", threads=threads))
    assert message == f"threads: found {threads!r}; allowed: an integer in 1..1024"


# Memory


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (1, 1),
        ("7", 7),
        ("2GB", 2e9),
        ("2 gb", 2e9),
        ("1.5GiB", 1.5 * 2**30),
        ("500M", 5e8),
        ("9" * 400, 2**63 - 1),
        (10**30, 2**63 - 1),
    ],
)
def test_memory_in_bytes(value, size):
    assert memory_in_bytes(value) == size


@pytest.mark.parametrize("value", ["", "GB", "-1GB", "2 GBs", "1e9", "0", "0.0001kB"])
def test_text_that_is_no_memory(value):
    message = error_of(lambda: Stylizer(device="cpu", memory_limit=value))
    assert message.startswith("memory_limit: found '") and '"2GB"' in message


@pytest.mark.parametrize("value", [0, -5, 1.5, True])
def test_number_that_is_no_memory(value):
    message = error_of(lambda: Stylizer(device="cpu", memory_limit=value))
    assert message == f"memory_limit: found {value!r}; allowed: an integer of at least 1"


def test_limit_on_a_device_without_one(passive):
    message = error_of(lambda: Stylizer(device=passive, memory_limit="1GB"))
    assert message == "memory_limit: found a limit on azure; allowed: one on cpu or cuda"


@pytest.fixture
def untiled(monkeypatch):
    """Pictures in one piece, whatever they take."""
    monkeypatch.setattr(footprint, "tile_side", lambda *_: None)


def test_picture_beyond_the_limit_is_an_error_and_the_next_one_runs(stylizer, painting, untiled):
    limited = Stylizer(device="cpu", memory_limit="80MB")
    message = error_of(lambda: limited.stylize(PHOTO[:900], painting))
    assert message == (
        "memory_limit: found 80,000,000 bytes, which the encoder of fast at 1024 x 900 exceeds;"
        " allowed: a larger limit, or a smaller max_side"
    )
    message = error_of(lambda: limited.encode_style(PHOTO, max_side=None))
    assert "the style of fast at 1024 x 1024 exceeds" in message
    small = PHOTO[:300, :200]
    assert np.array_equal(limited.stylize(small, painting), stylizer.stylize(small, painting))


def test_what_fits_a_new_stylizer_fits_after_other_sizes(painting, untiled):
    def fits(limited: Stylizer, side: int) -> bool:
        try:
            limited.stylize(PHOTO[:side, :side], painting)
        except AdaINError as error:
            if "memory_limit" in str(error):
                return False
            raise
        return True

    def fresh(megabytes: int) -> Stylizer:
        return Stylizer(device="cpu", memory_limit=f"{megabytes}MB")

    least = next(megabytes for megabytes in range(10, 200) if fits(fresh(megabytes), 512))
    used = fresh(least)
    # Pieces that other sizes leave in the arena are too small for this one, or in its way.
    assert [fits(used, side) for side in (64, 300, 900, 490)] == [True, True, False, True]
    assert fits(used, 512)
    assert not fits(fresh(least // 2), 512)


def in_a_process(field, script):
    """What a script in a process of its own prints; ``resident()`` there is a field of its status,
    in bytes, and ``photo`` uint8 [2000, 2000, 3]."""
    if not Path("/proc/self/status").is_file():
        pytest.skip("memory is read from /proc")
    prelude = (
        "import gc, re, numpy as np; from adain import Stylizer\n"
        f"def resident(): return int(re.search(r'{field}:\\s+(\\d+)',"
        " open('/proc/self/status').read())[1]) * 1024\n"
        "photo = np.random.default_rng(0).integers(0, 256, (2000, 2000, 3), np.uint8)\n"
    )
    command = [sys.executable, "-c", prelude + script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [int(number) for number in done.stdout.split()]


def test_limit_holds_in_the_process():
    script = (
        "s = Stylizer(device='cpu', memory_limit='80MB')\n"
        "style = s.encode_style(photo[:64, :64]); before = resident()\n"
        "for side in (500, 300, 560, 2000, 400, 570):\n"
        "    try: s.stylize(photo[:side, :side], style)\n"
        "    except ValueError: pass\n"
        "    print(resident() - before)\n"
    )
    peaks = in_a_process("VmHWM", script)
    # On top come the pictures in Python, of the first three 4 MB each and a few copies.
    assert peaks[2] < 80e6 + 30e6
    # The largest is 48 MB as float32, again as planes, and twice more on the way. Without a limit
    # this takes 900 MB.
    assert peaks[-1] < 80e6 + 4 * 48e6


def test_limit_serves_many_threads_in_turn(stylizer, painting):
    limited = Stylizer(device="cpu", memory_limit="80MB")
    sides = [300, 480, 200, 500, 350, 410]
    expected = [stylizer.stylize(PHOTO[:side, :side], painting) for side in sides]
    with ThreadPoolExecutor(6) as pool:
        results = pool.map(lambda side: limited.stylize(PHOTO[:side, :side], painting), sides)
        assert all(map(np.array_equal, results, expected))


def test_limit_is_that_of_one_stylizer_alone(painting, untiled):
    limited = Stylizer(device="cpu", memory_limit="80MB")
    larger = Stylizer(device="cpu", memory_limit="400MB")
    free = Stylizer(device="cpu")
    for stylizer in (larger, free):
        assert stylizer.stylize(PHOTO[:900], painting).shape == (900, 1024, 3)
    assert "80,000,000 bytes" in error_of(lambda: limited.stylize(PHOTO[:900], painting))


def test_memory_goes_with_the_stylizer():
    # In a process of its own: training, in other tests, lets the C library keep what is freed.
    script = (
        "content, style = photo[:1024, :1024], photo[:64, :64]\n"
        "Stylizer(device='cpu').stylize(content[:64], style)\n"
        "before = resident(); s = Stylizer(device='cpu'); s.stylize(content, style)\n"
        "during = resident(); del s; gc.collect()\n"
        "print(during - before, resident() - before)"
    )
    grown, left = in_a_process("VmRSS", script)
    assert grown > 80e6
    assert left < 0.5 * grown


# I/O binding


@pytest.fixture
def bound() -> Stylizer:
    """A Stylizer on the CPU that passes features on as one on a GPU does."""
    stylizer = Stylizer(device="cpu")
    stylizer._sessions._memory = "cpu"
    return stylizer


def test_bound_values_give_the_same_picture(bound, stylizer, photo, painting):
    for alpha in (1, 0.4):
        expected = stylizer.stylize(photo, painting, alpha)
        assert np.array_equal(bound.stylize(photo, painting, alpha), expected)
    [(_, kept)] = bound._contents.items()
    for value in (kept["features"], kept["statistics"]):
        assert isinstance(value, onnxruntime.OrtValue) and value.device_name() == "cpu"


def test_bound_threads_do_not_mix(bound, stylizer, painting):
    sides = [64, 96, 128, 160]
    expected = [stylizer.stylize(PHOTO[:side, :side], painting) for side in sides]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda s: bound.stylize(PHOTO[:s, :s], painting), 3 * sides))
    assert all(map(np.array_equal, results, 3 * expected))


# Speed of the start


def test_first_picture_of_a_process_comes_soon(tmp_path, photo):
    from PIL import Image

    Image.fromarray(PHOTO[:512, :512]).save(tmp_path / "photo.png")
    Image.fromarray(photo).save(tmp_path / "style.png")
    script = (
        "import time, adain\n"
        "adain.Stylizer(device='cpu').stylize('photo.png', 'style.png').save('out.png')\n"
        "print(time.process_time())"
    )
    env = {"PYTHONPATH": str(Path(providers.__file__).parents[1])}
    command = [sys.executable, "-c", script]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env=env, check=True
    )
    # Work of all threads together: what other processes take of the machine does not count.
    assert float(done.stdout) < 1.5
