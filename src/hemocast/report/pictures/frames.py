"""Frames and heatmaps as pixels: cropping, colour, sprites. Shared by the montage and the pages."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFont

from hemocast.volume import BoolArray, FloatArray, Stack

Bytes = NDArray[np.uint8]

COLUMNS = 7
"""Frames in a row: 28 frames make 7 x 4."""

BRAIN_WINDOW = (0, 80)
"""HU shown as black and white: the usual brain window (width 80, level 40), in which grey and white
matter part. The reading room opens with it."""

STROKE_WINDOW = (20, 60)
"""HU shown as black and white where early signs of an infarct are looked for (width 40, level 40):
narrow windows show more of them (Lev 1999, 10.1148/radiology.213.1.r99oc10150)."""

MARGIN_PX = 6
FLOOR = 0.2
"""Share of the scale below which the overlay is fully transparent: there the scan speaks alone."""

TOP = 0.02
"""End of the heatmap's scale in every scan and of every model: log-odds of HT per cm3. 50 cm3 of
the brightest colour add 1 to the log-odds, that is, multiply the odds by e. Measured on 18 scans of
the demonstration: the highest spots of those below 17 % lie under 0.0002, of those above 90 % at
0.016 to 0.028."""

OPACITY = 0.5
"""Of the overlay where it is strongest, until a reader chooses otherwise."""
_ANCHORS = (
    (0.00, (0x5D, 0x12, 0x6E)),
    (0.25, (0x9B, 0x29, 0x64)),
    (0.50, (0xD8, 0x4C, 0x3E)),
    (0.75, (0xF9, 0x8E, 0x09)),
    (1.00, (0xFC, 0xE2, 0x6A)),
)
"""Lightness rises evenly from purple to yellow (points on the path of matplotlib's inferno, CC0),
so that more evidence looks brighter in print and to colour-blind readers."""


def colour_table(opacity: float = OPACITY) -> tuple[Bytes, Bytes]:
    """Colours, shape (256, 3), and opacities, shape (256,), of heat 0 ... 255.

    Parameters
    ----------
    opacity : float
        Of the strongest heat, in [0, 1]; the weakest that is seen has half of it.
    """
    shade = np.linspace(0, 1, 256)
    at = [anchor for anchor, _ in _ANCHORS]
    colours = np.stack(
        [np.interp(shade, at, [rgb[channel] for _, rgb in _ANCHORS]) for channel in range(3)],
        axis=1,
    )
    shown = np.clip((shade - FLOOR) / (1 - FLOOR), 0, 1)
    alpha = np.where(shade > FLOOR, opacity * (1 + shown) / 2, 0)
    # A soft edge: from clear to the first visible opacity within a few shades.
    alpha *= np.clip((shade - FLOOR) / 0.04, 0, 1)
    return np.round(colours).astype(np.uint8), np.round(alpha * 255).astype(np.uint8)


@dataclass(frozen=True)
class Heat:
    """A heatmap made ready to show.

    Parameters
    ----------
    shade : ndarray of uint8, shape (28, H, W)
        Evidence for HT, 0 ... 255 of `TOP`; evidence against HT, and anything outside the brain, is
        0.
    highest : float
        The most evidence in the brain, log-odds per cm3 (its 99.9th percentile); 0 for none.
    """

    shade: Bytes
    highest: float

    @property
    def seen(self) -> bool:
        """Whether any of it is strong enough to be seen."""
        return bool(self.shade.max(initial=0) > FLOOR * 255)


def heat_shades(heatmap: FloatArray, brain: BoolArray) -> Heat:
    """Scale a signed heatmap to the evidence for HT within the brain.

    The scale is the same in every scan, so that a scan of low risk does not glow like one of high
    risk; what lies above `TOP` is shown as `TOP`.

    Parameters
    ----------
    heatmap : ndarray of float32, shape (28, H, W)
        Signed, log-odds per cm3.
    brain : ndarray of bool, shape (28, H, W)
        Where evidence is shown.
    """
    inside = np.where(brain, np.maximum(heatmap, 0), 0)
    positive = inside[inside > 0]
    if positive.size == 0:
        return Heat(np.zeros(heatmap.shape, dtype=np.uint8), 0.0)
    highest = float(np.quantile(positive, 0.999))
    return Heat(np.minimum(inside * (255 / TOP), 255).astype(np.uint8), highest)


def brain_box(stack: Stack) -> tuple[slice, slice]:
    """Rows and columns that hold the brain in any frame, with a small margin."""
    return _span(np.any(stack.brain, axis=(0, 2))), _span(np.any(stack.brain, axis=(0, 1)))


def _span(seen: BoolArray) -> slice:
    where = np.flatnonzero(seen)
    if where.size == 0:
        return slice(0, seen.size)
    return slice(max(0, int(where[0]) - MARGIN_PX), min(seen.size, int(where[-1]) + 1 + MARGIN_PX))


def heights_mm(stack: Stack) -> list[float]:
    """Height of every frame's middle above the middle of the lowest frame, mm."""
    return [index * stack.spacing[0] for index in range(stack.frames.shape[0])]


def blank(stack: Stack) -> dict[int, str]:
    """Frames (counted from 0) without brain, and why: "beyond the scan" or "no brain here"."""
    n = stack.frames.shape[0]
    top, bottom = stack.record.frames_padded_top, stack.record.frames_padded_bottom
    reasons = {int(index): "no brain here" for index in np.flatnonzero(~stack.brain.any((1, 2)))}
    beyond = [*range(bottom), *range(n - top, n)]
    return reasons | dict.fromkeys(beyond, "beyond the scan")


def sides_in_words(*, known: bool) -> str:
    """Say where the patient's right is in every picture of frames."""
    return "patient's right at the left" if known else "the patient's left and right are not known"


def grid(tiles: Bytes) -> Bytes:
    """Lay frames (n, h, w) out in rows of `COLUMNS`, lowest frame at the top left."""
    n, height, width = tiles.shape
    rows = -(-n // COLUMNS)
    sheet = np.zeros((rows * COLUMNS, height, width), dtype=np.uint8)
    sheet[:n] = tiles
    sheet = sheet.reshape(rows, COLUMNS, height, width).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(sheet.reshape(rows * height, COLUMNS * width))


def grey(frames: FloatArray) -> Bytes:
    """Frames in [0, 1] as 8-bit grey."""
    return np.round(np.clip(frames, 0, 1) * 255).astype(np.uint8)


@dataclass(frozen=True)
class Layers:
    """A scan and its heatmap as two pictures of the same size, all frames cropped to the brain.

    Parameters
    ----------
    scan, shade : Image
        In grey: the frames, and the evidence for HT as a shade of 0 to 255, in `rows` of `COLUMNS`.
    width, height : int
        Pixels of one frame.
    rows : int
        Frames down.
    heat : Heat
        The heatmap that `shade` shows.
    """

    scan: Image.Image
    shade: Image.Image
    width: int
    height: int
    rows: int
    heat: Heat


def layers_of(stack: Stack, heatmap: FloatArray, hu: FloatArray | None = None) -> Layers:
    """Lay out the frames of a scan and of its heatmap.

    Parameters
    ----------
    stack : Stack
        What the model saw.
    heatmap : ndarray of float32, shape (28, H, W)
        Signed evidence on the stack's grid.
    hu : ndarray of float32, shape (28, H, W), optional
        CT numbers, to be shown in `BRAIN_WINDOW` in place of the frames.

    Raises
    ------
    ValueError
        Heatmap and frames differ in shape.
    """
    if heatmap.shape != stack.frames.shape:
        raise ValueError(f"heatmap {heatmap.shape} on frames {stack.frames.shape}")
    rows, columns = brain_box(stack)
    heat = heat_shades(heatmap, stack.brain)
    frames = stack.frames[:, rows, columns]
    if hu is not None:
        low, high = BRAIN_WINDOW
        shown = (hu[:, rows, columns] - low) / (high - low)
        frames = np.where(stack.brain[:, rows, columns], shown, np.float32(0))
    return Layers(
        scan=Image.fromarray(grid(grey(frames))),
        shade=Image.fromarray(grid(heat.shade[:, rows, columns])),
        width=columns.stop - columns.start,
        height=rows.stop - rows.start,
        rows=-(-stack.frames.shape[0] // COLUMNS),
        heat=heat,
    )


def ramp() -> Bytes:
    """Colours of the scale, shape (256, 3), over mid-grey, as brain appears under it."""
    colours, alpha = colour_table()
    share = alpha[:, None] / 255
    return np.round(colours * share + 110 * (1 - share)).astype(np.uint8)


@dataclass(frozen=True)
class Sprites:
    """All frames of a scan in two small pictures, for a page that shows them one by one.

    Parameters
    ----------
    grey, heat : str
        ``data:`` addresses of two PNGs of `columns` frames a row: the scan, and the heatmap, its
        strongest spots opaque: to be shown at `OPACITY`.
    width, height : int
        Pixels of one frame.
    columns, rows : int
        Frames across and down.
    pixel_mm : float
        Side of a pixel.
    """

    grey: str
    heat: str
    width: int
    height: int
    columns: int
    rows: int
    pixel_mm: float


def sprites(layers: Layers, pixel_mm: float) -> Sprites:
    """Make the sprites of one scan."""
    colours, alpha = colour_table(1.0)
    hot = layers.shade.copy()
    hot.putpalette(colours.tobytes())
    return Sprites(
        grey=png_address(layers.scan),
        heat=png_address(hot, transparency=alpha.tobytes()),
        width=layers.width,
        height=layers.height,
        columns=COLUMNS,
        rows=layers.rows,
        pixel_mm=pixel_mm,
    )


def png_address(image: Image.Image, transparency: bytes | None = None) -> str:
    """Return a picture as a ``data:`` address."""
    buffer = io.BytesIO()
    extra = {} if transparency is None else {"transparency": transparency}
    image.save(buffer, "PNG", compress_level=6, **extra)
    return data_address("png", buffer.getvalue())


def data_address(kind: str, content: bytes) -> str:
    """Return the file of a picture as a ``data:`` address."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the letters of all pictures."""
    return ImageFont.load_default(size)
