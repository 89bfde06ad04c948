"""Pictures of scans for print: how a scan is prepared, and where the heatmap points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hemocast.report.figures.style import INK, ORANGE, in_style, new_figure
from hemocast.report.pictures.frames import (
    BRAIN_WINDOW,
    COLUMNS,
    TOP,
    brain_box,
    colour_table,
    grey,
    grid,
    heat_shades,
    ramp,
)
from hemocast.volume import BoolArray, FloatArray, Stack, Volume

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class HeatmapCase:
    """One scan of the heatmap figure.

    Parameters
    ----------
    title : str
        Written beside it.
    stack : Stack
        What the model saw.
    heatmap : ndarray of float32, shape (28, H, W)
        Signed evidence, log-odds per cm3.
    lesion : ndarray of bool, shape (28, H, W)
        The simulated infarct.
    probability : float
        What the model said.
    """

    title: str
    stack: Stack
    heatmap: FloatArray
    lesion: BoolArray
    probability: float


@in_style
def preparation_figure(volume: Volume, stack: Stack, window: tuple[float, float]) -> Figure:
    """Supplementary Figure 1: from the scan as read to the 28 frames the network sees.

    Parameters
    ----------
    volume : Volume
        The scan as read.
    stack : Stack
        The same, prepared.
    window : tuple of float
        HU mapped to 0 and 1.
    """
    figure = new_figure(7.2, 6.6)
    outer = figure.add_gridspec(
        2, 1, height_ratios=(1, 2.1), left=0.02, right=0.98, top=0.94, bottom=0.04, hspace=0.1
    )
    top = outer[0].subgridspec(1, 4, wspace=0.06)
    axes = [figure.add_subplot(top[0, k]) for k in range(4)]
    dz, dy, dx = volume.spacing
    middle = len(volume.hu) // 2
    _show(axes[0], _window(volume.hu[middle], BRAIN_WINDOW), dy / dx, "a  Slice as read")
    sagittal = _window(volume.hu[::-1, :, volume.hu.shape[2] // 2], BRAIN_WINDOW)
    _show(axes[1], sagittal, dz / dy, f"b  {len(volume.hu)} slices, sagittal")
    sz, sy, _ = stack.spacing
    frame = len(stack.frames) // 2
    upright = np.asarray(stack.frames[::-1, :, stack.frames.shape[2] // 2])
    _show(axes[2], upright, sz / sy, f"c  {len(stack.frames)} upright frames")
    _show(axes[3], stack.frames[frame], 1, f"d  {window[0]:g} to {window[1]:g} HU, brain edge")
    axes[3].contour(stack.brain[frame], [0.5], colors=ORANGE, linewidths=0.7)
    _all_frames(figure.add_subplot(outer[1]), stack)
    return figure


def _all_frames(axis: Axes, stack: Stack) -> None:
    rows, columns = brain_box(stack)
    sheet = grid(grey(stack.frames[:, rows, columns]))
    axis.imshow(sheet, cmap="gray", vmin=0, vmax=255, interpolation="bilinear")
    axis.set_axis_off()
    axis.set_title("e  All frames, from below; the patient's right is at the left", loc="left",
                   size=8, pad=3)  # fmt: skip
    height, width = rows.stop - rows.start, columns.stop - columns.start
    for k in range(len(stack.frames)):
        at = (k % COLUMNS * width + 4, k // COLUMNS * height + 4)
        axis.text(*at, str(k + 1), color="white", va="top", size=6)


@in_style
def heatmap_figure(cases: Sequence[HeatmapCase]) -> Figure:
    """Figure 3: for each scan the frame with most infarct, the heatmap, and the infarct put in.

    The frame is chosen by the truth and not by the heatmap, so that a heatmap which points
    elsewhere is seen to miss.

    Parameters
    ----------
    cases : sequence of HeatmapCase
        One row each.
    """
    figure = new_figure(7.2, 2.1 * len(cases) + 0.35)
    places = figure.add_gridspec(
        len(cases), 4, left=0.02, right=0.98, top=1 - 0.3 / (2.1 * len(cases) + 0.35),
        bottom=0.01, wspace=0.05, hspace=0.08, width_ratios=(1, 1, 1, 0.95),
    )  # fmt: skip
    for row, case in enumerate(cases):
        heads = ("Frame", "Heatmap", "Simulated infarct") if row == 0 else ("", "", "")
        axes = [figure.add_subplot(places[row, k]) for k in range(4)]
        _case_row(axes, case, heads)
    _colour_bar(axes[3])
    return figure


def _case_row(axes: Sequence[Axes], case: HeatmapCase, heads: tuple[str, ...]) -> None:
    heat = heat_shades(case.heatmap, case.stack.brain)
    weight = heat.shade.sum(axis=(1, 2), dtype=np.int64)
    frame = int(np.argmax(case.lesion.sum(axis=(1, 2))))
    box = brain_box(case.stack)
    image = case.stack.frames[frame][box]
    for axis, head in zip(axes, heads, strict=False):
        _show(axis, image, 1, head)
    colours, alpha = colour_table()
    level = heat.shade[frame][box]
    overlay = np.dstack([colours[level], alpha[level]])
    axes[1].imshow(overlay, interpolation="bilinear")
    if case.lesion[frame].any():
        axes[2].contour(case.lesion[frame][box], [0.5], colors=ORANGE, linewidths=0.9)
    axes[0].text(3, 3, "R", color="white", va="top", size=7)
    axes[3].set_axis_off()
    most = f", most evidence: {int(np.argmax(weight)) + 1}" if weight.any() else ", no evidence"
    lines = f"{case.title}\n\nframe {frame + 1} of {len(case.stack.frames)}{most}\n"
    said = f"model: {100 * case.probability:.0f} %"
    axes[3].text(0.02, 0.95, lines + said, va="top", color=INK, wrap=True, linespacing=1.4)


def _colour_bar(axis: Axes) -> None:
    """Say in the lower part of a row's text what the colours stand for."""
    bar = axis.inset_axes((0.02, 0.12, 0.8, 0.06))
    bar.imshow(ramp()[np.newaxis], aspect="auto", extent=(0, TOP, 0, 1))
    bar.set(yticks=[], xticks=[0, TOP / 2, TOP])
    bar.set_xlabel("log-odds of HT per cm³", size=7, labelpad=1)
    bar.tick_params(length=2, pad=1, labelsize=7)


def _window(hu: FloatArray, window: tuple[float, float]) -> FloatArray:
    low, high = window
    shown: FloatArray = np.clip((hu - low) / (high - low), 0, 1)
    return shown


def _show(axis: Axes, image: FloatArray, aspect: float, title: str) -> None:
    axis.imshow(grey(image), cmap="gray", vmin=0, vmax=255, aspect=aspect, interpolation="bilinear")
    axis.set_anchor("N")
    axis.set_axis_off()
    if title:
        axis.set_title(title, loc="left", size=8, pad=3)
