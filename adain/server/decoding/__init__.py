"""Untrusted image files, decoded in processes that can be stopped."""
