"""Is a scan like those that the model learned from? Numbers learned from them say, no network.

Plain measurements (`hemocast.model.features`) become normal scores by their quantiles among the
training scans (Liu, Lafferty & Wasserman 2009, JMLR 10:2295), so that a skewed one needs no rule
of its own. The distance is Mahalanobis's, of these scores, with correlations shrunk towards none
(Ledoit & Wolf 2004, 10.1016/S0047-259X(03)00096-4). Its limit is the conformal one of the distances
of scans left out (Bates et al. 2023, 10.1214/22-AOS2244): of scans like the training scans about
`ALARMS` lie beyond.

Real heads differ from simulated ones in ways that these cannot tell. A gate that learns from
simulated scans alone therefore learns from each after it was moved at random, by as much as real
ones are taken to lie apart (`hemocast.model.features.Feature`); its limit is that of such scans.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hemocast.model.features import FEATURES

Floats = NDArray[np.float64]
GATE_FROM = 300
"""Training scans below which no gate is learned."""
ALARMS = 0.01
_FOLDS = 10
_FARTHEST = 30.0
SHARES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_SCORES = np.array([-2.3263479, -1.6448536, -0.6744898, 0.0, 0.6744898, 1.6448536, 2.3263479])
"""Normal quantiles of `SHARES`."""
_SHRINK = 0.1
_TOLD, _LEAST = 3, 0.15
"""How many measurements a doubt names, and the share of the squared distance that each has."""
_WORDS = {feature.name: feature.words for feature in FEATURES}
UNLIKE = "unlike the scans the model learned from"
"""How a gate's doubt begins."""


@dataclass(frozen=True)
class Gate:
    """What is usual among the training scans.

    Parameters
    ----------
    features : tuple of str
        Names of the measurements used.
    quantiles : tuple of tuple of float
        Of each, at `SHARES`.
    precision : tuple of tuple of float
        Inverse of the correlations of their normal scores.
    limit : float
        Distance beyond which a scan is unlike.
    n_scans : int
        Learned from.
    gap : tuple of float
        Standard deviation of the random move of each measurement, in its own unit, where the scans
        were simulated; empty where they were real.
    """

    features: tuple[str, ...]
    quantiles: tuple[tuple[float, ...], ...]
    precision: tuple[tuple[float, ...], ...]
    limit: Annotated[float, Field(gt=0)]
    n_scans: int
    gap: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.features)
        if {len(self.precision), *map(len, self.precision), len(self.gap) or n} != {n} or n == 0:
            raise ValueError("a gate needs as many numbers as measurements")
        knots = np.array(self.quantiles, np.float64)
        if knots.shape != (n, len(SHARES)) or np.diff(knots).min() <= 0:
            raise ValueError("the quantiles of a gate rise")
        if not set(self.features) <= _WORDS.keys():
            raise ValueError("a gate names measurements that there are")

    def distance(self, measured: Floats) -> float:
        """Return how far measurements, as `measure_features` gives them, lie from the usual ones.

        What could not be measured counts as usual; a stack of which nothing could is infinitely
        far.
        """
        z = self._standard(measured)
        return float(np.sqrt(max(z @ np.array(self.precision) @ z, 0.0)))

    def doubt(self, measured: Floats) -> str | None:
        """Say that a scan is unlike the training scans, and in what most; None where it is not."""
        if not np.isfinite(measured).any():
            return f"{UNLIKE}: almost no brain tissue is seen"
        far = self.distance(measured)
        if far <= self.limit:
            return None
        z = self._standard(measured)
        part = z * (np.array(self.precision) @ z) / far**2
        most = [i for i in np.argsort(-part)[:_TOLD] if part[i] > _LEAST]
        what = ", ".join(_WORDS[self.features[i]] for i in most) or "all taken together"
        return f"{UNLIKE} (distance {far:.1f}, limit {self.limit:.1f}), mostly in: {what}"

    def _standard(self, measured: Floats) -> Floats:
        places = [list(_WORDS).index(name) for name in self.features]
        return _scores(measured[places], np.array(self.quantiles))


def _scores(values: Floats, quantiles: Floats) -> Floats:
    """Normal scores of measurements, straight on beyond the outermost quantiles; 0 of NaN."""
    scores = np.empty(len(values))
    for i, (value, knots) in enumerate(zip(values, quantiles, strict=True)):
        middle = knots[len(SHARES) // 2]
        end = knots[0] if value < middle else knots[-1]
        beyond = (value - middle) / (end - middle) * _SCORES[-1]
        inside = float(np.interp(value, knots, _SCORES))
        scores[i] = inside if abs(inside) < _SCORES[-1] else np.copysign(beyond, inside)
    return np.clip(np.nan_to_num(scores, posinf=_FARTHEST, neginf=-_FARTHEST),
                   -_FARTHEST, _FARTHEST)  # fmt: skip


def learn_gate(measured: Floats, *, simulated: bool = False) -> Gate | None:
    """Learn what is usual.

    Parameters
    ----------
    measured : ndarray of float64, shape (n, len(FEATURES))
        Of training scans; a measurement that is NaN in more than half of them is left out.
    simulated : bool
        They show no patients: real scans will differ from them in ways of their own.

    Returns
    -------
    Gate or None
        None where there are fewer than `GATE_FROM` scans.
    """
    if len(measured) < GATE_FROM:
        return None
    gap = _gap(measured) if simulated else np.empty(0)
    if simulated:
        measured = measured + gap * np.random.default_rng(1).normal(size=measured.shape)
    whole = _fit(measured)
    fold = np.random.default_rng(0).permutation(len(measured)) % _FOLDS
    distances = np.empty(len(measured))
    for k in range(_FOLDS):
        rest = _fit(measured[fold != k])
        distances[fold == k] = [rest.distance(one) for one in measured[fold == k]]
    rank = int(np.ceil((1 - ALARMS) * (len(measured) + 1))) - 1
    limit = float(np.sort(distances)[min(rank, len(measured) - 1)])
    names = [feature.name for feature in FEATURES]
    moved = tuple(float(f"{gap[names.index(one)]:.8g}") for one in whole.features if simulated)
    return replace(whole, limit=limit, gap=moved)


def _gap(measured: Floats) -> Floats:
    """Return how far real scans are taken to lie from these, for each measurement."""
    known = np.isfinite(measured).any(axis=0)
    spread = np.array([feature.floor for feature in FEATURES])
    low, high = np.nanquantile(measured[:, known], (SHARES[1], SHARES[-2]), axis=0)
    spread[known] = np.maximum(spread[known], (high - low) / (_SCORES[-2] - _SCORES[1]))
    return np.asarray(spread * [feature.gap for feature in FEATURES])


def _fit(measured: Floats) -> Gate:
    """Learn everything but the limit."""
    used = np.flatnonzero(np.isfinite(measured).mean(axis=0) > 0.5)
    values = measured[:, used]
    quantiles = np.nanquantile(values, SHARES, axis=0).T
    middle = quantiles[:, [len(SHARES) // 2]]
    least = np.array([FEATURES[i].floor for i in used])[:, None] * np.diff(_SCORES)
    # No step between quantiles is taken to be smaller than what is known of the measurement.
    steps = np.maximum(np.diff(quantiles), least)
    half = len(SHARES) // 2
    below = middle - np.cumsum(steps[:, :half][:, ::-1], axis=1)[:, ::-1]
    knots = np.hstack([below, middle, middle + np.cumsum(steps[:, half:], axis=1)])
    z = np.array([_scores(row, knots) for row in values])
    with np.errstate(invalid="ignore"):  # of one that never varied; it hangs together with none
        correlation = np.corrcoef(np.clip(z, -4, 4), rowvar=False)
    held = (1 - _SHRINK) * np.nan_to_num(correlation) + _SHRINK * np.eye(len(used))
    np.fill_diagonal(held, 1.0)
    return Gate(
        tuple(FEATURES[i].name for i in used),
        _rounded(knots),
        _rounded(np.linalg.inv(held)),
        np.inf,
        len(measured),
    )


def _rounded(table: Floats) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(f"{x:.8g}") for x in row) for row in table)
