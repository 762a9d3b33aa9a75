"""``python -m demo`` is ``adain demo``."""

import sys

from adain.cli.demo import demo
from adain.cli.run import run

sys.exit(run(demo))
