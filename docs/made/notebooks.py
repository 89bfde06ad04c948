"""Pages of the notebooks, with the outputs that they were saved with; a test runs them again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = "notebooks"
_HERE = Path(__file__).parents[1] / FOLDER


def pages() -> dict[str, str]:
    """Give a page for every notebook."""
    return {f"{FOLDER}/{path.stem}.md": _page(path) for path in sorted(_HERE.glob("*.ipynb"))}


def _page(path: Path) -> str:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    first, *rest = ("\n".join(_cell(cell)) for cell in cells)
    link = f"As a notebook: [{path.name}]({path.name})."
    return "\n\n".join([first, link, *rest, ""])


def _cell(cell: dict[str, Any]) -> Iterator[str]:
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        yield source
        return
    yield f"```python\n{source}\n```"
    for output in cell["outputs"]:
        if "text" in output:
            yield f"\n```text\n{''.join(output['text']).rstrip()}\n```"
        elif "image/png" in output.get("data", {}):
            picture = "".join(output["data"]["image/png"].split())
            yield f"\n![Figure](data:image/png;base64,{picture})"
