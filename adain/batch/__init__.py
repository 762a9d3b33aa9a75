"""Folders of pictures: found lazily, read, stylized and written side by side, and gone on with."""
