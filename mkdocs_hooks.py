"""What the site needs besides its pages: links that leave docs/, and the script that draws Mermaid."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

MERMAID = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "pulumi-istio-mesh" / "site"
"""Where `make docs` installs mermaid; a site without it shows pictures as text."""


def on_files(files: Files, config: MkDocsConfig, **_: Any) -> Files:
    """Serve Mermaid from the site itself: the theme would fetch it from elsewhere."""
    script = MERMAID / "node_modules" / "mermaid" / "dist" / "mermaid.min.js"
    if script.exists():
        files.append(File.generated(config, "javascripts/mermaid.min.js", abs_src_path=str(script)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Name files outside docs/ instead of linking them: the site doesn't hold them, and stands without a repository."""
    folder = Path(page.file.src_uri).parent

    def named(found: re.Match[str]) -> str:
        text, target = found.groups()
        path = os.path.normpath(Path("docs", folder, target))
        return found.group() if path.startswith("docs/") else f"{text} (`{path}` of the repository)"

    return re.sub(r"\[([^\]]+)\]\(((?!https?:)[^)#]+)\)", named, markdown)
