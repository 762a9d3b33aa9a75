"""``python -m adain`` is the ``adain`` command."""

from adain.cli.main import main

main()
