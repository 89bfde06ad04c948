"""Do the slices' contents follow one another? Headers may be in order while pictures are not.

A picture of another patient, a blank or damaged one, two that were swapped, a run in reverse: each
leaves a slice that is unlike the next while a later one is alike. In a head whose slices follow one
another no later slice is more alike than the next. A patient who moved and came back leaves the
same, less marked.
"""

from __future__ import annotations

import numpy as np

from hemocast.anatomy.grid import Coarse
from hemocast.errors import BadGeometry
from hemocast.volume import BoolArray, FloatArray

# Ours: how many times more a slice differs from the next than from one further on, and by how much.
# Heads whose slices are in order reach 1.1 times (a real one; simulated ones 0.9); a slice 6 mm out
# of place 2 to 3 times and 36 HU; blank, swapped or reversed ones 2 to 23 times and 50 to 300 HU.
DOUBTED_TIMES, DOUBTED_HU = 1.5, 8.0
REFUSED_TIMES, REFUSED_HU = 2.0, 50.0
# Slices are compared on pixels of about so much, smoothed, within a window round soft tissue.
_PIXEL_MM, _SMOOTH_PIXELS = 4.0, 1.5
_WINDOW_HU = (-200.0, 300.0)
_HEAD_HU, _HEAD_CM2 = -100.0, 50.0
_FURTHEST = 12


def check_order(coarse: Coarse) -> str | None:
    """Refuse slices of which some clearly lie in the wrong place; return a doubt.

    Parameters
    ----------
    coarse : Coarse
        The scan on blocks.

    Returns
    -------
    str or None
        What may be wrong, in words.

    Raises
    ------
    BadGeometry
        A slice is unlike the next, and a later one is far more alike.
    """
    pictures = np.stack([_shrink(hu, coarse.spacing[1:]) for hu in coarse.hu])
    odd = _first_odd(pictures, REFUSED_TIMES, REFUSED_HU)
    if odd is not None:
        raise BadGeometry(
            f"Slice {odd * coarse.factors[0] + 1} is unlike the next, to which one further on is "
            "like: it is damaged, of another scan, or in the wrong place",
            "slices that follow one another",
            "Export the series again, and look at this slice",
        )
    odd = _first_odd(pictures, DOUBTED_TIMES, DOUBTED_HU)
    if odd is None:
        return None
    return (
        f"slice {odd * coarse.factors[0] + 1} does not fit between its neighbours: the patient "
        "moved, or it is in the wrong place"
    )


def _shrink(hu: FloatArray, pixel_mm: tuple[float, float]) -> FloatArray:
    """Make a small smooth picture of a slice, to compare with others."""
    from scipy import ndimage

    rows, columns = (
        min(n, max(1, round(_PIXEL_MM / mm))) for n, mm in zip(hu.shape, pixel_mm, strict=True)
    )
    high, wide = hu.shape[0] // rows, hu.shape[1] // columns
    shown = np.clip(hu[: high * rows, : wide * columns], *_WINDOW_HU)
    small = shown.reshape(high, rows, wide, columns).mean(axis=(1, 3))
    return np.asarray(ndimage.gaussian_filter(small, _SMOOTH_PIXELS), np.float32)


def _first_odd(pictures: FloatArray, times: float, least_hu: float) -> int | None:
    """Find a slice so many times less like the next than that is like one further on."""
    head = pictures > _HEAD_HU
    seen = head.sum(axis=(1, 2)) * _PIXEL_MM**2 / 100 > _HEAD_CM2
    step = _differences(pictures, head, 1)
    for apart in range(2, min(_FURTHEST, len(pictures) - 1) + 1):
        alike = _differences(pictures, head, apart) * times
        both = seen[:-apart] & seen[apart:]
        for unlike, first in ((step[: len(alike)], 1), (step[apart - 1 :], apart - 1)):
            odd = np.flatnonzero(both & (unlike >= least_hu) & (unlike >= alike))
            if odd.size:
                return int(odd[0]) + first
    return None


def _differences(pictures: FloatArray, head: BoolArray, apart: int) -> FloatArray:
    """Mean difference of slices so far apart, over what either shows of the head, HU."""
    either = head[apart:] | head[:-apart]
    differs = np.abs(pictures[apart:] - pictures[:-apart])
    total = np.einsum("zyx,zyx->z", differs, either)
    return np.asarray(total / np.maximum(either.sum(axis=(1, 2)), 1), np.float32)
