"""``python -m adain`` is the ``adain`` command."""

from adain.cli import main

main()
