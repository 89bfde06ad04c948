"""How much of a map lies on the lesion, and how far two maps agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, stats

from hemocast.volume import BoolArray, FloatArray, Stack

MARGIN_MM = 5.0
"""How far about the lesion still counts as on it."""


@dataclass(frozen=True)
class Evidence:
    """Where the positive part of a map lies.

    Parameters
    ----------
    on_lesion : float
        Share of it on the lesion, with a margin of 5 mm.
    on_mirror : float
        Share of it on the lesion's mirror image: the healthy side, less what both share.
    outside : float
        Share of it outside the brain.
    peak_hits : bool
        Whether the greatest value lies on the lesion, margin included.
    lesion_share : float
        Share of the brain that is lesion, margin included: what an even map would reach.
    """

    on_lesion: float
    on_mirror: float
    outside: float
    peak_hits: bool
    lesion_share: float


def evidence_on(values: FloatArray, lesion: BoolArray, stack: Stack) -> Evidence:
    """Compare a map with where the lesion is.

    Parameters
    ----------
    values : ndarray of float32, shape (28, H, W)
        The map, not yet cut to the brain if ``outside`` is to mean something.
    lesion : ndarray of bool, shape (28, H, W)
        Upright, as stacks are, so that the mirror image of a place is the same row and frame.
    stack : Stack

    Raises
    ------
    ValueError
        There is no lesion.
    """
    if not lesion.any():
        raise ValueError("a lesion is needed")
    near = within(lesion, MARGIN_MM, stack.spacing)
    mirrored = near[..., ::-1] & ~near
    positive = np.maximum(values, 0.0).astype(np.float64)
    total = positive.sum()
    shares = [float(positive[part].sum() / total) if total else 0.0 for part in (near, mirrored)]
    peak = np.unravel_index(int(positive.argmax()), positive.shape)
    return Evidence(
        on_lesion=shares[0],
        on_mirror=shares[1],
        outside=float(positive[~stack.brain].sum() / total) if total else 0.0,
        peak_hits=bool(total and near[peak]),
        lesion_share=float((near & stack.brain).sum() / stack.brain.sum()),
    )


def within(mask: BoolArray, mm: float, spacing: tuple[float, float, float]) -> BoolArray:
    """Grow a mask by a distance in mm, (frame, y, x) spacing in mm."""
    far: FloatArray = ndimage.distance_transform_edt(~mask, sampling=spacing)
    return far <= mm


def agreement(first: FloatArray, second: FloatArray, brain: BoolArray) -> float:
    """Return the rank correlation (Spearman) of two maps over the brain; 0 where one is even."""
    pair = first[brain], second[brain]
    if min(np.ptp(one) for one in pair) == 0:
        return 0.0
    return float(stats.spearmanr(*pair).statistic)
