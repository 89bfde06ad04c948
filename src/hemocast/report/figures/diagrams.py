"""Drawings of the method, generated from the settings: nothing in them is typed in by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hemocast.report.figures.style import BLUE, GREY, INK, ORANGE, PAPER, figure_of, in_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hemocast.nets.describe import Layer

_COLOURS = {
    "input": PAPER,
    "convolution": "#d6e6ea",
    "block 1": "#e7eef7",
    "block 2": "#f8e5d6",
    "predictor": "#e9e4f2",
}
_WORDS = {
    "input": "Input",
    "convolution": "Convolution layer",
    "block 1": "Residual block 1\n$y = F(x, W, b) + x$",
    "block 2": "Residual block 2\n$y = F(x, W, b) + H(x)$",
    "predictor": "HT predictor",
}


@dataclass(frozen=True)
class Step:
    """One box of the method's flow.

    Parameters
    ----------
    title : str
        What is done.
    lines : tuple of str
        With what settings, or to how many.
    """

    title: str
    lines: tuple[str, ...]


def _box(
    axes: Axes,
    at: tuple[float, float],
    size: tuple[float, float],
    title: str,
    lines: Sequence[str] = (),
    colour: str = PAPER,
) -> None:
    """Draw a box by its centre and size, a bold title in it and lines under that."""
    from matplotlib.patches import FancyBboxPatch

    x, y = at
    width, height = size
    axes.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - height / 2), width, height, zorder=2, linewidth=0.8,
            boxstyle="round,pad=0,rounding_size=0.08", facecolor=colour, edgecolor=GREY,
        )
    )  # fmt: skip
    text_height = 0.16
    heads = title.split("\n") if title else []
    top = y + (len(heads) + len(lines) - 1) * text_height / 2
    for k, line in enumerate(heads):
        weight = "bold" if k == 0 else "normal"
        axes.text(x, top - k * text_height, line, ha="center", va="center", weight=weight)
    first = top - len(heads) * text_height
    for k, line in enumerate(lines):
        axes.text(
            x, first - k * text_height, line, ha="center", va="center", size=7, color="#3c4a57"
        )


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    form = {"arrowstyle": "-|>", "color": INK, "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=end, xytext=start, arrowprops=form)


def _empty(axes: Axes, width: float, height: float) -> None:
    axes.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    axes.set_axis_off()


@in_style
def method_figure(steps: Sequence[Step], notice: str = "") -> Figure:
    """Figure 1: the method as a chain of steps, in rows of three, read like text.

    Parameters
    ----------
    steps : sequence of Step
        In order.
    notice : str
        Written under the drawing.
    """
    columns = 3
    rows = -(-len(steps) // columns)
    width, height = 7.2, 1.1 * rows + 0.2
    figure, axes = figure_of(width, height)
    _empty(axes, width, height)
    places = [
        (1.2 + 2.4 * (k % columns), height - 0.48 - 1.1 * (k // columns)) for k in range(len(steps))
    ]
    for k, (step, at) in enumerate(zip(steps, places, strict=True)):
        _box(axes, at, (2.05, 0.8), f"{k + 1}. {step.title}", step.lines)
        if k + 1 == len(steps):
            continue
        after = places[k + 1]
        if after[1] == at[1]:
            _arrow(axes, (at[0] + 1.025, at[1]), (after[0] - 1.025, after[1]))
        else:
            middle = (at[1] + after[1]) / 2
            corner = [(at[0], at[1] - 0.4), (at[0], middle), (after[0], middle)]
            axes.plot(*zip(*corner, strict=True), color=INK, linewidth=0.9, zorder=1)
            _arrow(axes, (after[0], middle), (after[0], after[1] + 0.4))
    axes.text(width / 2, 0.1, notice, ha="center", va="center", color=ORANGE, weight="bold")
    return figure


@in_style
def residual_blocks_figure(layers: Sequence[Layer]) -> Figure:
    """Supplementary Figure 2: both residual blocks, each with the sizes it first has in the net.

    Parameters
    ----------
    layers : sequence of Layer
        As `hemocast.nets.describe` lists them.
    """
    found = [
        (kind, next((layer for layer in layers if layer.kind == kind), None))
        for kind in ("block 1", "block 2")
    ]
    figure, axes = figure_of(7.2, 3.6)
    _empty(axes, 7.2, 3.6)
    for column, (kind, layer) in enumerate(found):
        _residual_block(axes, 1.8 + 3.6 * column, kind, layer)
    return figure


def _residual_block(axes: Axes, x: float, kind: str, layer: Layer | None) -> None:
    title = "Block 1: shapes agree" if kind == "block 1" else "Block 2: shapes differ"
    axes.text(x, 3.45, title, ha="center", va="center", weight="bold")
    if layer is None:
        axes.text(x, 1.8, "not in this network", ha="center", color=GREY)
        return
    kernel, stride = _times(layer.kernel), _times(layer.stride)
    ones = _times((1,) * len(layer.kernel))
    main = x - 0.62
    heights = (3.15, 2.6, 2.05, 1.5, 0.8, 0.25)
    axes.text(main, heights[0], "$x$", ha="center", va="center")
    size = (2.02, 0.36)
    _box(axes, (main, heights[1]), size, "", [f"{kernel} convolution, stride {stride}"])
    _box(axes, (main, heights[2]), size, "", ["group normalisation, ReLU"])
    _box(axes, (main, heights[3]), size, "", [f"{kernel} convolution, normalisation"])
    _plus(axes, (main, heights[4]))
    axes.text(main, heights[5], f"$y$: {_shape(layer.shape)}", ha="center", va="center", size=7)
    gaps = (0.1, 0.18, 0.18, 0.18, 0.12, 0.09)
    for k in range(5):
        _arrow(axes, (main, heights[k] - gaps[k]), (main, heights[k + 1] + gaps[k + 1]))
    axes.text(main + 0.18, 0.5, "ReLU", ha="left", va="center", size=7, color="#3c4a57")
    axes.text(main - 1.1, heights[2], "$F$", ha="center", va="center")
    side = x + 1.08
    corner = [(main + 0.08, heights[0]), (side, heights[0]), (side, heights[4])]
    axes.plot(*zip(*corner, strict=True), color=INK, linewidth=0.9, zorder=1)
    _arrow(axes, (side, heights[4]), (main + 0.13, heights[4]))
    if kind == "block 1":
        axes.text(side + 0.08, heights[2], "$x$\n(identity)", ha="left", va="center", size=7)
    else:
        words = ["$H$: linear,", f"{ones} convolution,", f"stride {stride}"]
        _box(axes, (side, heights[2]), (1.24, 0.62), "", words, _COLOURS["block 2"])


def _plus(axes: Axes, at: tuple[float, float]) -> None:
    from matplotlib.patches import Circle

    axes.add_patch(Circle(at, 0.12, facecolor="white", edgecolor=INK, linewidth=0.9))
    axes.text(*at, "+", ha="center", va="center")


@in_style
def architecture_figure(layers: Sequence[Layer], name: str) -> Figure:
    """Supplementary Figure 3: the network layer by layer, with shapes and learned numbers.

    Parameters
    ----------
    layers : sequence of Layer
        As `hemocast.nets.describe` lists them.
    name : str
        Of the network.
    """
    height = 0.62 * len(layers) + 0.5
    figure, axes = figure_of(5.2, height)
    _empty(axes, 5.2, height)
    for k, layer in enumerate(layers):
        y = height - 0.6 - 0.62 * k
        _box(axes, (1.9, y), (2.5, 0.46), _WORDS[layer.kind], (), _COLOURS[layer.kind])
        axes.text(3.3, y + 0.09, _shape(layer.shape), ha="left", va="center", size=7.5)
        axes.text(3.3, y - 0.09, _details(layer), ha="left", va="center", size=7, color="#3c4a57")
        if k + 1 < len(layers):
            _arrow(axes, (1.9, y - 0.23), (1.9, y - 0.39))
    total = sum(layer.parameters for layer in layers)
    head = f"{name}: {total:,} learned numbers"
    axes.text(0.65, height - 0.2, head, ha="left", va="center", weight="bold", color=BLUE)
    return figure


def _details(layer: Layer) -> str:
    if layer.kind == "input":
        return "pooled frames, mirror difference"
    if layer.kind == "predictor":
        return f"mean pooling, one linear layer; {layer.parameters:,}"
    return f"kernel {_times(layer.kernel)}, stride {_times(layer.stride)}; {layer.parameters:,}"


def _times(numbers: Sequence[int]) -> str:
    return "\N{MULTIPLICATION SIGN}".join(str(n) for n in numbers)


def _shape(shape: Sequence[int]) -> str:
    if len(shape) == 1:
        return "one logit"
    return f"{shape[0]} features of {_times(shape[1:])}"
