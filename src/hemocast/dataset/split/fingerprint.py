"""Is this the same scan as that? An exact hash of the pixels, and a likeness that survives export.

A copy that was exported again has other bytes, other CT numbers (rounded, windowed, rescaled,
compressed) and perhaps a slice less, but the same noise and the same partial volumes. A second scan
of the same patient has neither, unless the head did not move by half a millimetre between the two.
So what is compared is texture: each slice in cells of about 2 mm, ranked (any monotone change of
the CT numbers leaves ranks alone), less its own surroundings.

Not found: a copy resampled along the patient's axis or rotated; one cropped to another field of
view.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hemocast.volume import BoolArray, FloatArray

TEXTURE_CELLS = 128  # across an image: about 2 mm
OUTLINE_CELLS = 32
SURROUNDINGS = 5  # cells
SHIFT = 3  # slices by which a copy may be displaced
MIN_SLICES = 6
MIN_CELLS = 500
# Measured (benchmarks/leakage_copies.py): copies 0.80 to 1.00; other patients at most 0.2; second
# scans of one patient at most 0.42 with the head moved by 1 degree and 1 mm, 0.60 by half of that.
SAME_TEXTURE = 0.65
# Only pairs as alike as this in outline are compared in texture. Copies: 0.95 or more.
SAME_OUTLINE = 0.92
FLIPS = ((False, False), (False, True), (True, False), (True, True))  # of y and x


@dataclass(frozen=True)
class Fingerprint:
    """What is kept of a scan to find its copies.

    Parameters
    ----------
    pixels : str
        SHA-256 of the CT numbers rounded to whole HU, and of the shape.
    outline : ndarray of float32, shape (1024,)
        Mean slice in 32 x 32 cells less its surroundings, of length 1.
    """

    pixels: str
    outline: FloatArray


def fingerprint(hu: ArrayLike) -> Fingerprint:
    """Describe a scan.

    Parameters
    ----------
    hu : array_like, shape (z, y, x)
        CT numbers.
    """
    array = np.asarray(hu, dtype=np.float32)
    digest = hashlib.sha256(np.asarray(array.shape, dtype="<i8").tobytes())
    digest.update(np.ascontiguousarray(np.rint(array).clip(-32768, 32767), dtype="<i2").data)
    ranks, _ = _ranks(_cells(array, OUTLINE_CELLS))
    outline = _less_surroundings(ranks.mean(axis=0, keepdims=True)).ravel()
    length = float(np.linalg.norm(outline))
    return Fingerprint(digest.hexdigest(), outline / length if length else outline)


def flip_outline(outline: FloatArray, flip: tuple[bool, bool]) -> FloatArray:
    """Give the outline that a scan flipped in y and x would have; a flip in z changes none."""
    square = outline.reshape(-1, OUTLINE_CELLS, OUTLINE_CELLS)
    return flip_slices(square, flip).reshape(outline.shape)


def flip_slices(array: FloatArray, flip: tuple[bool, bool]) -> FloatArray:
    """Flip every slice of (z, y, x) in y, in x, in both or in neither."""
    return array[:, :: -1 if flip[0] else 1, :: -1 if flip[1] else 1]


def texture(hu: ArrayLike) -> FloatArray:
    """Rank texture of every slice.

    Parameters
    ----------
    hu : array_like, shape (z, y, x)
        CT numbers, or any increasing function of them.

    Returns
    -------
    ndarray of float32, shape (z, 128, 128)
        nan outside the head and within two cells of its edge.
    """
    from scipy import ndimage

    ranks, inside = _ranks(_cells(np.asarray(hu, dtype=np.float32), TEXTURE_CELLS))
    core = ndimage.minimum_filter(inside, (1, SURROUNDINGS, SURROUNDINGS))
    return np.where(core, _less_surroundings(ranks), np.float32(np.nan))


def similarity(first: FloatArray, second: FloatArray) -> float:
    """Correlate two textures at the best of a few displacements along z, either way up.

    Parameters
    ----------
    first, second : ndarray, shape (z, 128, 128)
        From `texture`; numbers of slices may differ.

    Returns
    -------
    float
        1 for the same pixels, about 0 for unrelated ones; 0 where too little overlaps.
    """
    reach = SHIFT + abs(len(first) - len(second))
    return max(
        _correlation(first, other, offset)
        for other in (second, second[::-1])
        for offset in range(-reach, reach + 1)
    )


def _correlation(first: FloatArray, second: FloatArray, offset: int) -> float:
    start, stop = max(0, -offset), min(len(first), len(second) - offset)
    if stop - start < MIN_SLICES:
        return 0.0
    a, b = first[start:stop], second[start + offset : stop + offset]
    both = ~(np.isnan(a) | np.isnan(b))
    if both.sum() < MIN_CELLS:
        return 0.0
    a, b = a[both], b[both]
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size else 0.0


def _cells(hu: FloatArray, number: int) -> FloatArray:
    """Mean over `number` x `number` cells of every slice: (z, number, number)."""
    _, height, width = hu.shape
    if min(height, width) < number:
        repeat = -(-number // min(height, width))
        return _cells(hu.repeat(repeat, axis=1).repeat(repeat, axis=2), number)
    rows, columns = (np.arange(number) * side // number for side in (height, width))
    total = np.add.reduceat(np.add.reduceat(hu, rows, axis=1), columns, axis=2)
    size = np.outer(np.diff(rows, append=height), np.diff(columns, append=width))
    return (total / size).astype(np.float32)


def _ranks(cells: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Rank of every cell among those of the head in its slice, in (0, 1]; 0 outside the head."""
    from scipy import ndimage
    from scipy.stats import rankdata

    # Half way between air and tissue, whatever unit the numbers are in.
    level = (cells.min() + np.median(cells[cells >= cells.mean()])) / 2
    ranks = np.zeros_like(cells)
    inside = cells > level
    for slice_ranks, slice_inside, slice_cells in zip(ranks, inside, cells, strict=True):
        # A narrow window shows fluid as dark as air: the head has no holes.
        slice_inside[:] = ndimage.binary_fill_holes(slice_inside)
        if slice_inside.any():
            values = slice_cells[slice_inside]
            slice_ranks[slice_inside] = rankdata(values) / len(values)
    return ranks, inside


def _less_surroundings(image: FloatArray) -> FloatArray:
    from scipy import ndimage

    around: NDArray[np.float32] = ndimage.uniform_filter(image, (0, SURROUNDINGS, SURROUNDINGS))
    return image - around
