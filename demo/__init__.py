"""``python -m demo`` is ``adain demo``; the page itself is `adain.demo`."""
