"""Logit -> probability, kept as numbers: Platt's logistic curve, or an isotonic one.

Platt 1999, "Probabilistic outputs for support vector machines", in Advances in Large Margin
Classifiers, MIT Press, 61-74; Lin, Lin & Weng 2007, 10.1007/s10994-007-5018-6. Isotonic: Zadrozny &
Elkan 2002, 10.1145/775047.775151, with the middles of its steps joined by straight lines (Oron &
Flournoy 2017, 10.1080/19466315.2017.1286256).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from hemocast.errors import StatisticsError, UsageError
from hemocast.model.label_sets import LabelSets, fit_label_sets

Z95 = 1.959963984540054
"""97.5 % quantile of the standard normal distribution."""
CURVE_FROM = 500
"""Patients of each class below which the isotonic curve is not even tried: with fewer than about
1,000 cases it fits worse than Platt's (Niculescu-Mizil & Caruana 2005, 10.1145/1102351.1102430)."""
_FOLDS, _RESAMPLES = 10, 200
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """Knots of a rising curve, straight between them and level beyond them.

    Parameters
    ----------
    logit : tuple of float
        Rising.
    probability : tuple of float
        Of each.
    low, high : tuple of float
        95 % interval of each, from resampled patients.
    """

    logit: tuple[float, ...]
    probability: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    def __post_init__(self) -> None:
        heights = np.array([self.low, self.probability, self.high], np.float64)
        if heights.shape != (3, len(self.logit)) or not self.logit:
            raise ValueError("a calibration curve needs one probability and interval for each knot")
        rising = np.diff(self.logit).min(initial=1) > 0 and np.diff(heights).min(initial=0) >= 0
        if (
            not rising
            or np.diff(heights, axis=0).min() < 0
            or heights[0, 0] < 0
            or heights.max() > 1
        ):
            raise ValueError("a calibration curve rises, within its interval, from 0 to 1")


@dataclass(frozen=True)
class Calibration:
    """``probability = 1 / (1 + exp(-(slope * logit + intercept)))``, and how sure that curve is.

    Parameters
    ----------
    slope, intercept : float
    covariance : tuple
        2x2, of (slope, intercept).
    threshold : float
        Probability from which on a scan is called positive: see `fit_calibration`.
    n_scans, n_patients : int
        What it was fitted on.
    prevalence : float or None
        Of HT among those patients, which the probabilities assume; None, in models of the first
        version: the threshold is the prevalence.
    sensitivity : float or None
        What the threshold was chosen for; None: it is the prevalence.
    curve : Curve or None
        An isotonic curve, in place of the logistic one.
    label_sets : LabelSets or None
        Which answers a logit leaves open; None in models of the first version.
    """

    slope: float
    intercept: float
    covariance: tuple[tuple[float, float], tuple[float, float]]
    threshold: Annotated[float, Field(ge=0, le=1)]
    n_scans: int
    n_patients: int
    prevalence: Annotated[float, Field(gt=0, lt=1)] | None = None
    sensitivity: Annotated[float, Field(gt=0, lt=1)] | None = None
    curve: Curve | None = None
    label_sets: LabelSets | None = None

    @property
    def assumed(self) -> float:
        """Prevalence that the probabilities assume."""
        return self.threshold if self.prevalence is None else self.prevalence

    def probability(self, logit: float) -> float:
        """Return the calibrated probability of a logit."""
        if self.curve:
            return float(np.interp(logit, self.curve.logit, self.curve.probability))
        return _expit(self.slope * logit + self.intercept)

    def interval(self, logit: float) -> tuple[float, float]:
        """Return the 95 % interval of the calibration curve at a logit.

        Of the mean risk of all patients with this logit, that is: by the delta method on the logit
        scale, or from resampled patients where the curve is isotonic. It holds the uncertainty of
        the curve **only**, not how far this patient's risk lies from that mean.
        """
        if self.curve:
            low, high = (
                float(np.interp(logit, self.curve.logit, end))
                for end in (self.curve.low, self.curve.high)
            )
            return low, high
        (vss, vsi), (_, vii) = self.covariance
        centre = self.slope * logit + self.intercept
        # In this order max keeps NaN, which `Prediction` refuses; it would make it 0 in the other.
        spread = Z95 * math.sqrt(max(vss * logit**2 + 2 * vsi * logit + vii, 0.0))
        return _expit(centre - spread), _expit(centre + spread)

    def moved(self, log_odds: float) -> Self:
        """Return it with so much added to the log odds of every probability."""

        def move(share: float) -> float:
            return _expit(_log_odds(share) + log_odds) if 0 < share < 1 else share

        curve = self.curve and Curve(
            self.curve.logit,
            *(
                tuple(map(move, values))
                for values in (self.curve.probability, self.curve.low, self.curve.high)
            ),
        )
        return replace(
            self,
            intercept=self.intercept + log_odds,
            threshold=move(self.threshold),
            prevalence=move(self.assumed),
            curve=curve,
        )

    def at_prevalence(self, prevalence: float) -> Self:
        """Return it for patients among whom HT is as common as given.

        The odds of every probability are multiplied by the ratio of the prevalences' odds (Saerens,
        Latinne & Decaestecker 2002, 10.1162/089976602753284446). Right if scans of patients with HT
        look alike in both populations, and those without too. Interval and threshold move along,
        so that the same scans are called positive; the label sets stay.

        Raises
        ------
        UsageError
            The prevalence is no fraction, or that of this calibration is 0 or 1.
        """
        if not (0 < prevalence < 1 and 0 < self.assumed < 1):
            raise UsageError(
                f"A prevalence of {prevalence:g} where the model assumes {self.assumed:g}",
                "fractions above 0 and below 1",
                "Give the share of patients with hemorrhagic transformation, such as 0.15",
            )
        moved = self.moved(_log_odds(prevalence) - _log_odds(self.assumed))
        return replace(moved, prevalence=prevalence)


def fit_calibration(
    label: ArrayLike, logit: ArrayLike, weight: ArrayLike, patient: ArrayLike | None = None
) -> Calibration:
    """Fit the calibration, its threshold and its label sets to scans the network had not seen.

    Slope and intercept by weighted maximum likelihood on Platt's softened targets (N1+1)/(N1+2) and
    1/(N0+2), instead of 1 and 0, which keep the slope finite when the classes are perfectly
    separated. A slope that comes out at or below zero (the network learned nothing) is set to a
    hundredth of a standard deviation's worth, which keeps the order of the scans.

    An isotonic curve takes their place by a fixed rule: `CURVE_FROM` patients of each class at
    least, and in ten-fold cross-validation over patients a log loss that is lower than Platt's by
    more than two standard errors of the difference.

    The threshold is the prevalence among the scans fitted on: for calibrated probabilities Youden's
    index (10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3) is greatest where the
    likelihood ratio is 1, that is, where the probability equals the prevalence. Unlike the maximum
    of the empirical index it does not hang on two or three scans.

    Parameters
    ----------
    label : array-like of int, shape (n,)
        1 HT, 0 no HT.
    logit : array-like of float, shape (n,)
    weight : array-like of float, shape (n,)
        Positive; with sum 1 over each patient, so that their sum is the number of patients.
    patient : array-like, shape (n,), optional
        Whose scan each is; left out: each another's.

    Raises
    ------
    StatisticsError
        A class is missing, or a logit is not a number.
    """
    y, x, w = (np.asarray(values, np.float64) for values in (label, logit, weight))
    if not np.isfinite(x).all() or not 0 < (w * y).sum() < w.sum():
        raise StatisticsError(
            "The scans for calibration hold one class only, or a logit that is no number",
            "finite logits of scans with and without HT",
            "Give more patients to the inner validation part",
        )
    prevalence = float((w * y).sum() / w.sum())
    (slope, intercept), covariance = _fit_platt(y, x, w)
    (vss, vsi), (_, vii) = covariance
    people = np.arange(len(y)) if patient is None else np.unique(patient, return_inverse=True)[1]
    return Calibration(
        slope=float(slope),
        intercept=float(intercept),
        covariance=((float(vss), float(vsi)), (float(vsi), float(vii))),
        threshold=prevalence,
        n_scans=len(y),
        n_patients=round(float(w.sum())),
        prevalence=prevalence,
        curve=_fit_curve(y, x, w, people) if _curve_is_better(y, x, w, people) else None,
        label_sets=fit_label_sets(y, x, w),
    )


def threshold_for(
    sensitivity: float, probability: ArrayLike, label: ArrayLike, weight: ArrayLike
) -> float:
    """Return the highest probability from which on so large a share of the patients with HT lies.

    Parameters
    ----------
    sensitivity : float
        Above 0, at most 1.
    probability, label, weight : array-like, shape (n,)
        Of scans of both classes; weights as for `fit_calibration`.
    """
    p, y, w = (np.asarray(values, np.float64) for values in (probability, label, weight))
    p, w = p[y == 1], w[y == 1]
    order = np.argsort(-p, kind="stable")
    reached = np.cumsum(w[order]) >= sensitivity * w.sum() - 1e-9
    return float(p[order[int(np.argmax(reached))]])


_ALL_ONE = 1e-9
"""Logits that differ by less, far below what single precision tells apart, count as one."""


def _fit_platt(y: Floats, x: Floats, w: Floats) -> tuple[Floats, Floats]:
    """Return (slope, intercept) and their covariance."""
    from hemocast.stats.calibration.logistic import fit_logistic

    mean, spread = float(np.average(x, weights=w)), float(x.std())
    if spread < _ALL_ONE:
        spread = 1.0
    standard = np.stack([(x - mean) / spread, np.ones_like(x)], 1)
    beta, covariance = fit_logistic(standard, _softened(y, w), weight=w, ridge=1e-9)
    beta[0] = max(beta[0], 0.01)
    to_raw = np.array([[1 / spread, 0.0], [-mean / spread, 1.0]])
    return to_raw @ beta, to_raw @ covariance @ to_raw.T


def _softened(y: Floats, w: Floats) -> Floats:
    ones, zeros = float((w * y).sum()), float((w * (1 - y)).sum())
    return np.where(y == 1, (ones + 1) / (ones + 2), 1 / (zeros + 2))


def _knots(y: Floats, x: Floats, w: Floats) -> tuple[Floats, Floats]:
    """Return the middles of the steps of the isotonic curve, and their heights."""
    from scipy.optimize import isotonic_regression

    at, place = np.unique(x, return_inverse=True)
    mass = np.bincount(place, w)
    mean = np.bincount(place, w * _softened(y, w)) / mass
    fitted = isotonic_regression(mean, weights=mass)
    start = fitted.blocks[:-1]
    middle = np.add.reduceat(at * mass, start) / np.add.reduceat(mass, start)
    return middle, np.asarray(fitted.x[start], np.float64)


def _fit_curve(y: Floats, x: Floats, w: Floats, people: NDArray[np.intp]) -> Curve:
    at, probability = _knots(y, x, w)
    rng = np.random.default_rng(0)
    n = int(people.max()) + 1
    drawn = []
    for _ in range(_RESAMPLES):
        times = w * np.bincount(rng.integers(n, size=n), minlength=n)[people]
        if 0 < (times * y).sum() < times.sum():
            there = times > 0
            drawn.append(np.interp(at, *_knots(y[there], x[there], times[there])))
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return Curve(
        *(
            tuple(map(float, values))
            for values in (
                at, probability, np.minimum(low, probability), np.maximum(high, probability)
            )
        )
    )  # fmt: skip


def _curve_is_better(y: Floats, x: Floats, w: Floats, people: NDArray[np.intp]) -> bool:
    """Compare the log losses, patient by patient, of curves that had not seen the patient."""
    if min((w * y).sum(), (w * (1 - y)).sum()) < CURVE_FROM:
        return False
    fold = np.random.default_rng(0).permutation(int(people.max()) + 1)[people] % _FOLDS
    gain = np.empty_like(x)
    for k in range(_FOLDS):
        out, rest = fold == k, fold != k
        (slope, intercept), _ = _fit_platt(y[rest], x[rest], w[rest])
        platt = np.array([_expit(slope * one + intercept) for one in x[out]])
        curve = np.interp(x[out], *_knots(y[rest], x[rest], w[rest]))
        gain[out] = _log_loss(y[out], platt) - _log_loss(y[out], curve)
    by_patient = np.bincount(people, w * gain)
    return bool(by_patient.mean() > 2 * by_patient.std(ddof=1) / math.sqrt(len(by_patient)))


def _log_loss(y: Floats, p: Floats) -> Floats:
    p = np.clip(p, 1e-12, 1 - 1e-12)
    return np.asarray(-(y * np.log(p) + (1 - y) * np.log1p(-p)))


def _expit(x: float) -> float:
    return 0.5 * (1 + math.tanh(x / 2))


def _log_odds(share: float) -> float:
    return math.log(share / (1 - share))
