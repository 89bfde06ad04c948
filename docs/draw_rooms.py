"""Draw the rooms of Hemocast into docs/architecture.md, from their layers and imports.

Run it after a room is added or imports another: ``python docs/draw_rooms.py``.
"""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "hemocast"
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- rooms: drawn by docs/draw_rooms.py -->\n", "<!-- end of rooms -->\n"


def layers() -> list[str]:
    """Give the rooms as the import rules hold them, the top one first."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (rooms,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    return [room.removeprefix("hemocast.") for room in rooms]


def rooms() -> dict[str, list[Path]]:
    """Give the rooms that are there, folders and single files, with their modules."""
    found = {}
    for path in sorted(SOURCE.iterdir()):
        if path.suffix == ".py" and not path.stem.startswith("__"):
            found[path.stem] = [path]
        elif (path / "__init__.py").is_file():
            found[path.name] = sorted(path.rglob("*.py"))
    return found


def imports() -> dict[str, set[str]]:
    """Give for every room the rooms that its modules import, at their top or inside a function."""
    known = rooms()
    return {
        room: {name for module in modules for name in _imported(module) if name in known} - {room}
        for room, modules in known.items()
    }


def _imported(module: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "hemocast":
            names = [f"hemocast.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        found |= {name.split(".")[1] for name in names if name.startswith("hemocast.")}
    return found


def nearest(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """Leave out every import that goes through another room as well."""

    def reached(room: str) -> set[str]:
        return {room}.union(*(reached(below) for below in graph[room]))

    return {
        room: {
            below
            for below in below_all
            if not any(below in reached(other) for other in below_all - {below})
        }
        for room, below_all in graph.items()
    }


def picture() -> str:
    """Give the rooms as a Mermaid graph: an arrow is an import, those through others left out."""
    graph = nearest(imports())
    lines = ["```mermaid", "flowchart TD"]
    for room in layers():
        lines += [f"    {room} --> {below}" for below in layers() if below in graph[room]]
    return "\n".join([*lines, "```", ""])


def main() -> None:
    """Put the picture into the page."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(before + BEGIN + picture() + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
