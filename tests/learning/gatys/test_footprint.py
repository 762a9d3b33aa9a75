"""What memory an optimisation is said to take, and what is done to fit into less."""

import subprocess
import sys
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs PyTorch")

from waves import picture

from adain.errors import AdaINError
from adain.learning.gatys import footprint
from adain.learning.gatys.footprint import Plan, memory_needed, plan
from adain.learning.gatys.options import GatysOptions
from adain.learning.gatys.run import optimize
from adain.learning.models import vgg

GB = 10**9
CPU = torch.device("cpu")
# In a process of its own: one piece would take 330 MB more than VGG-19, an estimate as well.
SCRIPT = """
import sys
import numpy as np
from adain.images.picture import Picture
from adain.learning.gatys.options import GatysOptions
from adain.learning.gatys.run import optimize
from adain.learning.models.vgg import load_vgg19_layers
from adain.learning.peak_memory import peak_memory, resident_memory

vgg, tiles = load_vgg19_layers(), []
rgb = np.random.default_rng(0).random((48, 1280, 3), np.float32)
before = resident_memory()
options = GatysOptions(
    iterations=1, optimizer="adam", device="cpu", coarse_to_fine=False, style_scale=0.1,
    checkpointing=False, memory_limit=before + 200_000_000,
)
guides = int(sys.argv[1])
styles = [Picture(np.ascontiguousarray(rgb[:, :64]))] * max(1, guides)
masks = [Picture(rgb)] * guides or None
callback = lambda told: tiles.append(told.tile)
optimize(Picture(rgb), styles, options, masks=masks, vgg=vgg, callback=callback)
print(tiles[0], peak_memory() - before)
"""


def test_one_piece_then_checkpointing_then_tiles(network: vgg.VGG19Layers) -> None:
    options = GatysOptions()

    def chosen(free: float, **other: object) -> Plan:
        return plan(network, 1024, 1024, replace(options, **other), int(free))  # type: ignore[arg-type]

    assert chosen(6 * GB) == Plan()
    assert chosen(4 * GB) == Plan(checkpointing=True)
    assert chosen(4 * GB, checkpointing=False) == Plan(tile=672)
    small = chosen(1 * GB)
    assert small.tile is not None and small.tile < 672 and small.pairs < footprint.PAIRS
    assert not small.checkpointing and chosen(1 * GB, checkpointing=True).checkpointing
    # Half the features make room for more.
    assert (chosen(1 * GB, precision="bf16").tile or 0) > small.tile


@pytest.mark.parametrize("size", [(4096, 4096), (3000, 2000), (1024, 768)])
def test_a_plan_fits_into_what_there_is(network: vgg.VGG19Layers, size: tuple[int, int]) -> None:
    options = GatysOptions()
    for free in (3.4 * GB, 6 * GB):
        planned = plan(network, *size, options, int(free))
        assert memory_needed(network, *size, options, planned) <= free


def test_what_does_not_fit_is_refused_before_it_starts(network: vgg.VGG19Layers) -> None:
    content, style = picture(64, 64, 0), picture(32, 32, 1)
    with pytest.raises(AdaINError, match="memory_limit: found '1MB', while"):
        optimize(content, [style], GatysOptions(memory_limit="1MB"), vgg=network)
    with pytest.raises(AdaINError, match=r"64 x 64 pixels: found 9 MB .* is more, for any size"):
        plan(network, 64, 64, GatysOptions(), 9_000_000)
    with pytest.raises(AdaINError, match=r"a long side of about 39\d0 pixels"):
        plan(network, 8192, 8192, GatysOptions(), 2 * GB)
    assert plan(network, 3900, 3900, GatysOptions(), 2 * GB).pairs == footprint.FEWEST_PAIRS


def test_a_style_larger_than_the_content_counts(network: vgg.VGG19Layers) -> None:
    options, size = GatysOptions(), (192, 128)
    assert plan(network, *size, options, GB // 2, [size]) == Plan()
    large = [(1920, 1440)]
    planned = plan(network, *size, options, GB, large)
    assert planned.tile is not None
    assert memory_needed(network, *size, options, planned, large) <= GB
    with pytest.raises(AdaINError, match="found 100 MB"):
        plan(network, *size, options, 100_000_000, large)


def test_guides_count(network: vgg.VGG19Layers) -> None:
    options, size = GatysOptions(), (1024, 1024)
    free, guided = (plan(network, *size, options, GB, guides=guides) for guides in (0, 3))
    assert free.tile is not None and guided.tile is not None
    assert (guided.tile, guided.pairs) < (free.tile, free.pairs)
    assert memory_needed(network, *size, options, guided, guides=3) <= GB
    # A map at the sizes of the style layers, beside what does not grow with the picture.
    plain, more = (
        memory_needed(network, 4096, 4096, options, Plan(tile=416), guides=guides)
        for guides in (0, 1)
    )
    assert 4 * 4096**2 < more - plain < 8 * 4096**2


def test_a_limit_counts_what_is_held_already(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footprint, "available_memory", lambda device: 5 * GB)
    monkeypatch.setattr(footprint, "resident_memory", lambda: GB)
    assert footprint.room(GatysOptions(), CPU) == 5 * GB
    assert footprint.room(GatysOptions(memory_limit="4GB"), CPU) == 3 * GB
    assert footprint.room(GatysOptions(memory_limit=9 * GB), CPU) == 5 * GB
    with pytest.raises(AdaINError, match="memory_limit: found '1GB', while 1000 MB are held"):
        footprint.room(GatysOptions(memory_limit="1GB"), CPU)


@pytest.mark.skipif(sys.platform != "linux", reason="VmHWM is Linux's")
@pytest.mark.parametrize("guides", [0, pytest.param(6, marks=pytest.mark.slow)])
def test_memory_stays_near_the_limit(vgg19_weights: object, guides: int) -> None:
    command = [sys.executable, "-c", SCRIPT, str(guides)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    tile, peak = done.stdout.split()
    assert tile != "None" and int(peak) < 1.1 * 200_000_000
