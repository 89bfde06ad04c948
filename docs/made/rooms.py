"""The picture of the rooms as SVG, so that no page needs a script to draw it."""

from __future__ import annotations

import re
from collections import defaultdict

_WIDE, _HIGH, _STEP, _GAP = 92.0, 24.0, 46.0, 16.0
_MERMAID = re.compile(r"```mermaid\nflowchart TD\n(.*?)```\n", re.DOTALL)


def drawn(markdown: str) -> str:
    """Put an SVG in the place of every Mermaid graph of a page."""
    return _MERMAID.sub(lambda found: svg(re.findall(r"(\w+) --> (\w+)", found[1])), markdown)


def ranks(arrows: list[tuple[str, str]]) -> dict[str, int]:
    """Give every node the length of the longest way that leads to it."""
    rank: dict[str, int] = defaultdict(int)
    for _ in arrows:
        for above, below in arrows:
            rank[below] = max(rank[below], rank[above] + 1)
    return dict(rank)


def _rows(arrows: list[tuple[str, str]], rank: dict[str, int]) -> list[list[str]]:
    """Order the nodes of each rank by the middle of those that they hang from."""
    rows: list[list[str]] = [[] for _ in range(max(rank.values()) + 1)]
    middle: dict[str, float] = {}
    for node in sorted(rank, key=lambda one: rank[one]):
        rows[rank[node]].append(node)
    for row in rows:
        for node in row:
            above = [middle[a] for a, b in arrows if b == node and a in middle]
            middle[node] = sum(above) / len(above) if above else 0.0
        row.sort(key=lambda one: middle[one])
        for at, node in enumerate(row):
            middle[node] = at - (len(row) - 1) / 2
    return rows


def svg(arrows: list[tuple[str, str]]) -> str:
    """Draw boxes in rows from above to below, and curves between them, in the page's own colour.

    Parameters
    ----------
    arrows : list of (str, str)
        From a room to one that it imports from.
    """
    rows = _rows(arrows, ranks(arrows))
    width = max(len(row) for row in rows) * (_WIDE + _GAP) + 2 * _GAP
    places = {
        node: (width / 2 + (at - (len(row) - 1) / 2) * (_WIDE + _GAP), _GAP + y * _STEP)
        for y, row in enumerate(rows)
        for at, node in enumerate(row)
    }
    lines = [_curve(places, above, below) for above, below in arrows]
    boxes = [_box(node, *place) for node, place in places.items()]
    height = len(rows) * _STEP + _GAP
    return (
        f'<svg class="rooms" role="img" aria-label="Rooms, and which imports from which" '
        f'viewBox="0 0 {width:g} {height:g}" xmlns="http://www.w3.org/2000/svg">'
        + "".join([*lines, *boxes]) + "</svg>\n"
    )  # fmt: skip


def _curve(places: dict[str, tuple[float, float]], above: str, below: str) -> str:
    (x0, y0), (x1, y1) = places[above], places[below]
    y0 += _HIGH
    bend = (y1 - y0) / 2
    # Over a row in between a curve steps aside, so that it does not run through its boxes.
    aside = (_WIDE + _GAP) / 2 * (1 if x1 >= x0 else -1) if y1 - y0 > _STEP else 0.0
    return (
        f'<path d="M{x0:g} {y0:g} C{x0 + aside:g} {y0 + bend:g} {x1 + aside:g} {y1 - bend:g} '
        f'{x1:g} {y1:g}"/>'
    )


def _box(node: str, x: float, y: float) -> str:
    return (
        f'<rect x="{x - _WIDE / 2:g}" y="{y:g}" width="{_WIDE:g}" height="{_HIGH:g}" rx="4"/>'
        f'<text x="{x:g}" y="{y + _HIGH / 2 + 4:g}">{node}</text>'
    )
