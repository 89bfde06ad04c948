"""Find the confusion matrices of whole numbers that print as given metrics.

Exact: every bound is a fraction, and every comparison one of integers. For a given number of
positives and true positives each printed metric leaves an interval of true negatives; so only two
of the three free cells are enumerated, all at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from hemocast.errors import StatisticsError
from hemocast.papercheck.numbers import SHARES, Rounded
from hemocast.stats.estimate import Float64Array, IntArray
from hemocast.stats.metrics import COUNT_METRICS, from_counts

MAX_N: Final = 20_000
"""Largest set searched: beyond it every percentage with two decimals is possible anyway, and the
integers below would come near the end of 64 bits."""

_PAIRS_AT_ONCE: Final = 1 << 20
_WIDEST: Final = 20


@dataclass(frozen=True)
class Bound:
    """What one printed metric allows.

    Parameters
    ----------
    metric : str
        One of `SHARES`.
    low, high : Fraction
        Both ends allowed.
    """

    metric: str
    low: Fraction
    high: Fraction

    def __post_init__(self) -> None:
        if self.metric not in SHARES:
            raise StatisticsError(
                f"There is no metric {self.metric!r} of a confusion matrix",
                f"one of {', '.join(SHARES)}",
                "Correct the name",
            )

    @classmethod
    def of(cls, metric: str, number: Rounded) -> Bound:
        """Return the bound that a printed number sets."""
        return cls(metric, *number.share)


@dataclass(frozen=True)
class ConfusionMatrices:
    """Confusion matrices that fit.

    Parameters
    ----------
    n : int
        Cases.
    cells : ndarray of int64, shape (k, 4)
        True positives, false negatives, true negatives, false positives.
    complete : bool
        False when the search stopped at its limit: there are more.
    """

    n: int
    cells: IntArray
    complete: bool


def find_matrices(n: int, bounds: Sequence[Bound], limit: int = 1000) -> ConfusionMatrices:
    """Find the integer confusion matrices that print as the metrics given.

    A metric whose denominator is empty fits only where 0 does, as most software prints it.

    Parameters
    ----------
    n : int
        Cases, 1 to `MAX_N`.
    bounds : sequence of Bound
        What was printed.
    limit : int
        Stop after so many.

    Raises
    ------
    StatisticsError
        `n` outside its range.
    """
    if not 1 <= n <= MAX_N:
        raise StatisticsError(
            f"A set of {n} cases cannot be searched",
            f"1 to {MAX_N} cases",
            "Give another n; with more cases almost every percentage is possible",
        )
    exchanged = exchange(bounds)
    if exchanged is not None:
        order, other = exchanged
        found_other = find_matrices(n, other, limit)
        return ConfusionMatrices(n, found_other.cells[:, order], found_other.complete)
    found = [np.empty((0, 4), dtype=np.int64)]
    count = 0
    for positives, hits in _pairs(n, bounds):
        low, high = _true_negatives(n, positives, hits, bounds)
        for rows, tn in _spread(low, high):
            p, tp = positives[rows], hits[rows]
            cells = np.stack([tp, p - tp, tn, n - p - tn], axis=1)
            cells = cells[_exact(cells, bounds)]
            found.append(cells)
            count += len(cells)
            if count > limit:
                return ConfusionMatrices(n, np.concatenate(found)[:limit], False)
    return ConfusionMatrices(n, np.concatenate(found), True)


def exchange(bounds: Sequence[Bound]) -> tuple[list[int], list[Bound]] | None:
    """Put the same search in terms that hold a sensitivity, where that is possible.

    With prediction and outcome exchanged, PPV becomes sensitivity, while accuracy and F1 stay;
    with the classes exchanged, specificity does.

    Returns
    -------
    (list of int, list of Bound) or None
        Which cell of the exchanged matrix is TP, FN, TN, FP, and the bounds in its terms; None
        where nothing needs to be exchanged, or nothing can.
    """
    names = {b.metric for b in bounds}
    if "sensitivity" in names:
        return None
    if "ppv" in names and not names & {"balanced_accuracy", "prevalence"}:
        other = {"ppv": "sensitivity", "npv": "specificity", "specificity": "npv"}
        order = [0, 3, 2, 1]
    elif "specificity" in names and not names & {"f1", "prevalence"}:
        other = {"specificity": "sensitivity", "ppv": "npv", "npv": "ppv"}
        order = [2, 3, 0, 1]
    else:
        return None
    return order, [Bound(other.get(b.metric, b.metric), b.low, b.high) for b in bounds]


def closest_matrix(n: int, numbers: Sequence[tuple[str, Rounded]]) -> tuple[IntArray, float] | None:
    """Find the matrix whose metrics come nearest to those printed.

    Parameters
    ----------
    n : int
        Cases.
    numbers : sequence of (str, Rounded)
        Metrics of `COUNT_METRICS` and what was printed.

    Returns
    -------
    (ndarray of int64, shape (4,), float) or None
        Cells (TP, FN, TN, FP) and the largest deviation of a metric from what was printed, as a
        fraction; None where nothing comes anywhere near.
    """
    centers = np.array([float(number.value) for _, number in numbers])
    index = [COUNT_METRICS.index(metric) for metric, _ in numbers]
    for step in range(_WIDEST):
        reach = Fraction(2**step, 4000)
        bounds = [
            Bound(metric, max(k.value - reach, Fraction(0)), min(k.value + reach, Fraction(1)))
            for metric, k in numbers
        ]
        cells = find_matrices(n, bounds, limit=200_000).cells
        if not cells.size:
            if reach > 1:
                return None
            continue
        tp, fn, tn, fp = cells.T
        metrics: Float64Array = np.nan_to_num(from_counts(tp, fp, tn, fn)[index], nan=0.0)
        deviation = np.abs(metrics - centers[:, None]).max(axis=0)
        best = int(np.argmin(deviation))
        return cells[best], float(deviation[best])
    return None


def _ceil(top: IntArray, bottom: IntArray | int) -> IntArray:
    return np.asarray(-((-top) // bottom), dtype=np.int64)


def _pairs(n: int, bounds: Sequence[Bound]) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield numbers of positives and of true positives that sensitivity allows, in parts."""
    shares = [b for b in bounds if b.metric == "prevalence"]
    fewest = max((math.ceil(b.low * n) for b in shares), default=0)
    most = min((math.floor(b.high * n) for b in shares), default=n)
    positives = np.arange(fewest, most + 1, dtype=np.int64)
    low, high = np.zeros_like(positives), positives.copy()
    for b in bounds:
        if b.metric == "sensitivity":
            low = np.maximum(low, _ceil(b.low.numerator * positives, b.low.denominator))
            high = np.minimum(high, b.high.numerator * positives // b.high.denominator)
    for rows, hits in _spread(low, high):
        yield positives[rows], hits


def _spread(low: IntArray, high: IntArray) -> Iterator[tuple[IntArray, IntArray]]:
    """Write out every integer from low to high of every row: yield rows and integers, in parts."""
    widths = np.maximum(high - low + 1, 0)
    part = np.cumsum(widths) // _PAIRS_AT_ONCE
    for k in np.unique(part[widths > 0]):
        rows = np.flatnonzero((part == k) & (widths > 0))
        w = widths[rows]
        offset = np.arange(w.sum()) - np.repeat(np.cumsum(w) - w, w)
        each = np.repeat(rows, w)
        yield each, low[each] + offset


def _true_negatives(
    n: int, p: IntArray, tp: IntArray, bounds: Sequence[Bound]
) -> tuple[IntArray, IntArray]:
    """Fewest and most true negatives that the bounds allow for each pair; low > high for none."""
    negatives, fn = n - p, p - tp
    # With everything else given, each metric is (a + b TN) / (c + d TN).
    forms: dict[str, tuple[IntArray | int, ...]] = {
        "specificity": (0, 1, negatives, 0),
        "accuracy": (tp, 1, n, 0),
        "ppv": (tp, 0, tp + negatives, -1),
        "npv": (0, 1, fn, 1),
        "f1": (2 * tp, 0, 2 * tp + fn + negatives, -1),
        "balanced_accuracy": (tp * negatives, p, 2 * p * negatives, 0),
    }
    low, high = np.zeros_like(p), negatives.copy()
    for bound in bounds:
        if bound.metric not in forms:
            continue
        a, b, c, d = forms[bound.metric]
        for sign, share in ((1, bound.low), (-1, bound.high)):
            # At least `low`, or at most `high`: slope * TN >= least.
            top, bottom = sign * share.numerator, sign * share.denominator
            slope, least = np.broadcast_arrays(bottom * b - top * d, top * c - bottom * a, p)[:2]
            divisor = np.where(slope == 0, 1, slope)
            low = np.where(slope > 0, np.maximum(low, _ceil(least, divisor)), low)
            high = np.where(slope < 0, np.minimum(high, least // divisor), high)
            high = np.where((slope == 0) & (least > 0), -1, high)
    return low, high


def _exact(cells: IntArray, bounds: Sequence[Bound]) -> np.ndarray:
    """Which matrices obey every bound, empty denominators included."""
    tp, fn, tn, fp = cells.T
    yes, no = 2 * tp + fp + fn, 2 * tn + fp + fn
    parts = {
        "accuracy": (tp + tn, tp + fn + tn + fp),
        "sensitivity": (tp, tp + fn),
        "specificity": (tn, tn + fp),
        "ppv": (tp, tp + fp),
        "npv": (tn, tn + fn),
        "f1": (2 * tp, yes),
        "macro_f1": (tp * no + tn * yes, yes * no),
        "balanced_accuracy": (tp * (tn + fp) + tn * (tp + fn), 2 * (tp + fn) * (tn + fp)),
        "prevalence": (tp + fn, tp + fn + tn + fp),
    }
    kept = np.ones(len(cells), dtype=bool)
    for b in bounds:
        top, bottom = parts[b.metric]
        inside = (top * b.low.denominator >= b.low.numerator * bottom) & (
            top * b.high.denominator <= b.high.numerator * bottom
        )
        # A mean over two classes, one of them empty, is what software makes of it: not judged.
        strict = b.metric not in {"macro_f1", "balanced_accuracy"}
        kept &= inside & ((bottom > 0) | (not strict) | (b.low <= 0))
    return kept
