"""What image files say beside their pixels, read so that damage to it does no harm.

Pillow decodes the pixels. Its parsers of metadata warn, or refuse the file, where something is
damaged that no viewer looks at, and miss colours that are told otherwise than by an ICC profile.
So each format's file is read here first, and Pillow is handed what concerns the pixels alone.
"""
