"""Plain measurements of a stack, by which a scan unlike the training scans is told. No torch.

All are counted on whole levels of tissue (level 0 is background or fluid below the window), so that
a stack of which only the levels were kept gives the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemocast.volume import LEVELS, Stack, to_levels

Floats = NDArray[np.float64]
Levels = NDArray[np.int16]


@dataclass(frozen=True)
class Feature:
    """One measurement.

    Parameters
    ----------
    name : str
        In ``model.yaml``.
    words : str
        For people.
    floor : float
        Spread among training scans below which it is not taken to be known, in its own unit.
    gap : float
        How far real scans are taken to lie from simulated ones in it, as a share of their spread.
    """

    name: str
    words: str
    floor: float
    gap: float = 0.75


FEATURES = (
    Feature("noise_hu", "noise", 0.15, 0.25),
    Feature("grain", "grain of the noise", 0.02, 0.25),
    Feature("between_frames", "likeness of neighbouring frames", 0.02),
    Feature("tail", "pixels that stand out", 0.1),
    Feature("edges_hu", "sharpness of edges", 0.4),
    Feature("low_hu", "darkest tissue", 0.5),
    Feature("quarter_hu", "darker tissue", 0.4),
    Feature("median_hu", "brightness", 0.4),
    Feature("three_quarters_hu", "brighter tissue", 0.4),
    Feature("high_hu", "brightest tissue", 0.5),
    Feature("bright_share", "share of bright tissue", 0.002),
    Feature("rim_hu", "brightness of the brain's edge", 0.4),
    Feature("inner_rim_hu", "brightness just within the edge", 0.4),
    Feature("cup_hu", "brightness of the middle against the outside", 0.3),
    Feature("side_hu", "brightness of left against right", 0.3),
    Feature("front_hu", "brightness of front against back", 0.3),
    Feature("top_hu", "brightness of top against bottom", 0.4),
    Feature("patches_hu", "patches", 0.1),
    Feature("tissue_ml", "amount of tissue", 40.0),
    Feature("frames", "height of the brain", 0.7),
    Feature("width_mm", "width of the brain", 2.0),
    Feature("depth_mm", "length of the brain", 2.0),
    Feature("slice_mm", "distance of the slices", 0.6, 0.25),
)
"""What is measured, in this order.

The gaps are ours. In 10 of 23 features one of four real heads lay outside of the middle 90 % of
simulated ones (docs/lab/simulator.md), in edges and anatomy more than in noise, which
follows scanners.
"""

_BLOCK = 16
_EDGE = 3
"""Pixels from outside that belong to the brain's edge."""


def measure_features(stack: Stack, window: tuple[float, float]) -> Floats:
    """Measure a stack.

    Parameters
    ----------
    stack : Stack
        As a model sees it.
    window : tuple of float
        HU of the levels 0 and 1.

    Returns
    -------
    ndarray of float64, shape (len(FEATURES),)
        NaN where something cannot be told: little tissue, distance of the slices not known.
    """
    known_mm = stack.record.slice_mm
    return measure_levels(
        to_levels(stack.frames), stack.spacing, window, np.nan if known_mm is None else known_mm
    )


def measure_levels(
    levels: NDArray[np.uint8],
    spacing: tuple[float, float, float],
    window: tuple[float, float],
    slice_mm: float = np.nan,
) -> Floats:
    """Measure the levels of a stack, whose pixels are so far apart, in mm (frame, y, x).

    Returns what `measure_features` does.
    """
    unit = (window[1] - window[0]) / LEVELS
    found = dict.fromkeys((feature.name for feature in FEATURES), np.nan)
    found["slice_mm"] = slice_mm
    filled = np.flatnonzero(levels.any(axis=(1, 2)))
    if filled.size >= 4:
        rows, columns = (np.flatnonzero(levels.any(axis=axes)) for axes in ((0, 2), (0, 1)))
        box = levels[
            filled[0] : filled[-1] + 1, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1
        ].astype(np.int16)
        found |= _brightness(box, unit, window[0])
        found |= _noise(box, unit)
        found |= _edge(box, unit)
        found |= _places(box, unit)
        found["tissue_ml"] = float(np.count_nonzero(box) * np.prod(spacing) / 1000)
        found["frames"] = float(filled.size)
        found["depth_mm"], found["width_mm"] = box.shape[1] * spacing[1], box.shape[2] * spacing[2]
    return np.array([found[feature.name] for feature in FEATURES])


def _quantiles(counts: NDArray[np.intp], shares: tuple[float, ...]) -> Floats:
    """Quantiles of whole numbers from 0, of which the counts are given; NaN of none."""
    below = np.cumsum(counts)
    if not below.size or below[-1] == 0:
        return np.full(len(shares), np.nan)
    places = np.searchsorted(below, np.array(shares) * below[-1])
    before = below[places] - counts[places]
    # Within a level, as if its pixels were spread over it.
    return np.asarray(places - 0.5 + (np.array(shares) * below[-1] - before) / counts[places])


def _brightness(box: Levels, unit: float, low: float) -> dict[str, float]:
    counts = np.bincount(box.ravel(), minlength=LEVELS + 1)[: LEVELS + 1].copy()
    counts[0] = 0
    levels = _quantiles(counts, (0.05, 0.25, 0.5, 0.75, 0.95))
    names = ("low_hu", "quarter_hu", "median_hu", "three_quarters_hu", "high_hu")
    found = dict(zip(names, (low + levels * unit).tolist(), strict=True))
    found["bright_share"] = float(counts[LEVELS] / counts.sum())
    return found


def _noise(box: Levels, unit: float) -> dict[str, float]:
    """Noise by Immerkaer's mask (1996, 10.1006/cviu.1996.0060), where no level is cut off."""
    known = (box > 0) & (box < LEVELS)
    across = box[:, :, 2:] - 2 * box[:, :, 1:-1] + box[:, :, :-2]
    mask = across[:, 2:] - 2 * across[:, 1:-1] + across[:, :-2]
    whole = known[:, :, 2:] & known[:, :, 1:-1] & known[:, :, :-2]
    inside = whole[:, 2:] & whole[:, 1:-1] & whole[:, :-2]
    middle, tail = _quantiles(np.bincount(np.abs(mask[inside])), (0.5, 0.99))
    near, edges = _quantiles(_steps(box, known, 1), (0.5, 0.98))
    far = _quantiles(_steps(box, known, 3), (0.5,))[0]
    both = inside[1:] & inside[:-1]
    # Large values are anatomy: they would tell of the head, not of its slices.
    cut = np.clip(mask, -4 * middle, 4 * middle) if middle > 0 else mask
    pairs = np.where(both, cut[1:] * cut[:-1], 0).sum(dtype=np.float64)
    own = np.where(both, cut[1:] ** 2 + cut[:-1] ** 2, 0).sum(dtype=np.float64) / 2
    return {
        "noise_hu": float(middle / 0.6745 / 6 * unit),
        "tail": float(tail / middle) if middle > 0 else np.nan,
        "grain": float(near / far) if far > 0 else np.nan,
        "edges_hu": float(edges * unit),
        "between_frames": float(pairs / own) if own > 0 else np.nan,
    }


def _steps(box: Levels, known: NDArray[np.bool_], lag: int) -> NDArray[np.intp]:
    """Count the differences between pixels so far apart, by size."""
    step = box[:, :, lag:] - box[:, :, :-lag]
    return np.bincount(np.abs(step[known[:, :, lag:] & known[:, :, :-lag]]))


def _edge(box: Levels, unit: float) -> dict[str, float]:
    """Brightness of each row's outermost pixels, and of those within, against all tissue's."""
    tissue = box > 0
    full = tissue.sum(axis=2) > 6 * _EDGE
    frame, row = np.nonzero(full)
    if not frame.size:
        return {}
    picked = box[frame, row]
    there = picked > 0
    first = there.argmax(axis=1)[:, None]
    last = picked.shape[1] - 1 - there[:, ::-1].argmax(axis=1)[:, None]
    steps = np.arange(2 * _EDGE)
    both = np.concatenate(
        [np.take_along_axis(picked, at, axis=1) for at in (first + steps, last - steps)]
    )
    middle = float(picked[there].mean())
    outer = both[:, :_EDGE].mean(axis=1, dtype=np.float64).mean()
    inner = both[:, _EDGE:].mean(axis=1, dtype=np.float64).mean()
    return {
        "rim_hu": (float(outer) - middle) * unit,
        "inner_rim_hu": (float(inner) - middle) * unit,
    }


def _places(box: Levels, unit: float) -> dict[str, float]:
    """Compare means of tissue over blocks of pixels from place to place."""
    n, height, width = (box.shape[0], *(size // _BLOCK * _BLOCK for size in box.shape[1:]))
    top, left = (box.shape[1] - height) // 2, (box.shape[2] - width) // 2
    cut = box[:, top : top + height, left : left + width]
    shape = (n, height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK)
    count = np.count_nonzero(cut.reshape(shape), axis=(2, 4))
    total = cut.reshape(shape).sum(axis=(2, 4), dtype=np.float64)
    filled = count > 0.8 * _BLOCK**2
    if np.count_nonzero(filled) < 20:
        return {}
    mean = np.where(filled, total / np.maximum(count, 1), 0) * unit
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, size) for size in mean.shape), indexing="ij")
    value, where = mean[filled], np.stack([z[filled], y[filled], x[filled]])
    line = np.stack([np.ones(value.size), *where])
    fitted, *_ = np.linalg.lstsq(line.T, value, rcond=None)
    rest = value - fitted @ line
    radius = np.hypot(where[1], where[2])
    near, far = rest[radius < 0.45], rest[radius > 0.6]
    return {
        "top_hu": float(fitted[1]),
        "front_hu": float(-fitted[2]),
        "side_hu": abs(float(fitted[3])),
        "cup_hu": float(near.mean() - far.mean()) if near.size and far.size else np.nan,
        "patches_hu": float(np.quantile(np.abs(rest - np.median(rest)), 0.68)),
    }
