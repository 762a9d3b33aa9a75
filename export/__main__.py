"""``python -m export`` is ``adain export``."""

import sys

from adain.cli.export import export
from adain.cli.run import run

sys.exit(run(export))
