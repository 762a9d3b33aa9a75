"""The page as a Space of the Hugging Face Hub: on the port that it looks at, for everybody."""

import os
import sys

from adain.cli.demo import demo
from adain.cli.run import run

os.environ.setdefault("ADAIN_DEMO_HOST", "0.0.0.0")
os.environ.setdefault("ADAIN_DEMO_PORT", "7860")
sys.exit(run(demo, []))
