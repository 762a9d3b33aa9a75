"""What the package index shows: README.md with links that lead somewhere, and the project's URLs.

The index resolves no relative links. `ADAIN_REPOSITORY`, which the workflow that publishes sets, is
the repository's address on its host; without it, as in a checkout, README.md stays as it is.
"""

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

# The target of a link or, after "!", of a picture, unless it has a scheme or is in the same page.
LINK = re.compile(r"(!?)(\[[^\]]*\])\((?!\w+:|#)([^)]+)\)")


class IndexMetadata(MetadataHookInterface):
    """Fills in the fields `readme` and `urls`, which pyproject.toml calls dynamic."""

    def update(self, metadata: dict[str, Any]) -> None:
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        if repository := os.environ.get("ADAIN_REPOSITORY", "").rstrip("/"):
            if not re.fullmatch(r"https?://\S+", repository):
                allowed = "an address, https://HOST/OWNER/NAME"
                raise ValueError(f"ADAIN_REPOSITORY: found {repository!r}; allowed: {allowed}")
            text = LINK.sub(lambda link: absolute(link, repository), text)
            metadata["urls"] = {
                "Source": repository,
                "Issues": f"{repository}/issues",
                "Changelog": f"{repository}/blob/HEAD/CHANGELOG.md",
            }
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def absolute(link: re.Match[str], repository: str) -> str:
    picture, words, target = link.groups()
    return f"{picture}{words}({repository}/{'raw' if picture else 'blob'}/HEAD/{target})"
