"""A scan as the pages show it: sprites, and what stands at every frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hemocast.model.heatmap import NO_PLACES
from hemocast.report.pictures.frames import (
    BRAIN_WINDOW,
    COLUMNS,
    STROKE_WINDOW,
    TOP,
    Sprites,
    blank,
    brain_box,
    heights_mm,
    layers_of,
    ramp,
    sprites,
)
from hemocast.volume import BoolArray, FloatArray, Stack


@dataclass(frozen=True)
class Tile:
    """One frame among the others: where it stands and what is written on it."""

    number: int
    row: int
    column: int
    mm: float
    blank: str
    outline: str


@dataclass(frozen=True)
class Picture:
    """Everything a template needs to show one scan.

    Parameters
    ----------
    sprites : Sprites
        The pixels.
    tiles : tuple of Tile
        One per frame.
    first : int
        The frame (from 1) with most evidence, to open with.
    frame_mm : float
        Height of a frame.
    highest : float
        The most evidence in the scan, log-odds per cm3; 0 for none.
    seen : bool
        Whether any evidence is strong enough to be seen.
    kind : str
        How the heatmap was made.
    ramp : tuple of str
        Colours of the scale over mid-grey.
    by_frame : tuple of float
        Evidence in each frame, as a share of the frame with most; low where all is weak.
    outlined : str
        What the tiles carry the outline of; "" for nothing.
    sides_known : bool
        Whether the patient's right and left may be named.
    window, opening : tuple of int or None
        HU of black and white in the grey sprite, and in the viewer as it opens; None where the
        pixels are the model's input.
    """

    sprites: Sprites
    tiles: tuple[Tile, ...]
    first: int
    frame_mm: float
    highest: float
    seen: bool
    kind: str
    ramp: tuple[str, ...]
    by_frame: tuple[float, ...]
    outlined: str
    sides_known: bool
    window: tuple[int, int] | None = None
    opening: tuple[int, int] | None = None

    @property
    def slope(self) -> float:
        """Contrast that turns the sprite's window into the one it opens with."""
        (low, high), (from_, to) = self.window or (0, 1), self.opening or (0, 1)
        return (high - low) / (to - from_)

    @property
    def intercept(self) -> float:
        """What is then added to grey, of 1."""
        (low, _), (from_, to) = self.window or (0, 1), self.opening or (0, 1)
        return (low - from_) / (to - from_)

    @property
    def mapped(self) -> bool:
        """Whether there is a heatmap; a model that measures has none."""
        return self.kind != NO_PLACES


def make_picture(
    stack: Stack,
    heatmap: FloatArray,
    kind: str,
    lesion: BoolArray | None = None,
    outlined: str = "the simulated lesion",
    hu: FloatArray | None = None,
) -> Picture:
    """Prepare one scan for a page.

    Parameters
    ----------
    stack : Stack
        What the model saw.
    heatmap : ndarray of float32, shape (28, H, W)
        Signed evidence on the stack's grid.
    kind : str
        How the heatmap was made, in words.
    lesion : ndarray of bool, shape (28, H, W), optional
        A lesion to outline.
    outlined : str
        What it is.
    hu : ndarray of float32, shape (28, H, W), optional
        CT numbers of the frames, to show them in place of the model's input.

    Raises
    ------
    ValueError
        Shapes differ.
    """
    layers = layers_of(stack, heatmap, hu)
    if lesion is not None and lesion.shape != stack.frames.shape:
        raise ValueError(f"lesion {lesion.shape} on frames {stack.frames.shape}")
    heat = layers.heat
    reasons = blank(stack)
    rows, columns = brain_box(stack)
    heights = heights_mm(stack)
    tiles = tuple(
        Tile(
            number=index + 1,
            row=index // COLUMNS,
            column=index % COLUMNS,
            mm=height,
            blank=reasons.get(index, ""),
            outline="" if lesion is None else outline(lesion[index, rows, columns]),
        )
        for index, height in enumerate(heights)
    )
    weight = heat.shade.astype(np.float64).sum(axis=(1, 2))
    first = int(np.argmax(weight)) if weight.any() else len(tiles) // 2
    share = min(heat.highest / TOP, 1.0)
    return Picture(
        sprites=sprites(layers, stack.spacing[2]),
        tiles=tiles,
        first=first + 1,
        frame_mm=stack.spacing[0],
        highest=heat.highest,
        seen=heat.seen,
        kind=kind,
        ramp=tuple("#" + bytes(colour).hex() for colour in ramp()[::8]),
        by_frame=tuple((weight / max(weight.max(), 1.0) * share).tolist()),
        outlined="" if lesion is None else outlined,
        sides_known=stack.record.sides_known,
        window=None if hu is None else BRAIN_WINDOW,
        opening=None if hu is None else STROKE_WINDOW,
    )


def outline(mask: BoolArray) -> str:
    """Draw the edge of a mask (h, w) as an SVG path along the pixels' sides; "" where empty."""
    if not mask.any():
        return ""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    top, left = int(rows[0]), int(columns[0])
    edged = np.pad(mask[top : rows[-1] + 1, left : columns[-1] + 1], 1)
    parts: list[str] = []
    # A side lies wherever two neighbours differ; runs of sides are joined into one line.
    for axis, step in ((0, "h"), (1, "v")):
        lines = np.diff(edged.astype(np.int8), axis=axis) != 0
        lines = lines if axis == 0 else lines.T
        for along, line in enumerate(lines):
            turns = np.flatnonzero(np.diff(line.astype(np.int8), prepend=0, append=0))
            for start, stop in turns.reshape(-1, 2):
                x, y = (start - 1, along) if axis == 0 else (along, start - 1)
                parts.append(f"M{left + x} {top + y}{step}{stop - start}")
    return "".join(parts)
