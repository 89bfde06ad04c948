"""Kernel spectral regression on maps of the brain; only the whole patient's outcome is known.

A patient is a set of places. Of each place the model sees the local mean of every map and how it
differs from the place opposite; a Gaussian kernel compares it with a few landmarks. What a patient
is, is the mean over the places (the mean embedding of the set), so that every place adds its own
part to the score: a map of where the risk comes from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hemocast.classical.images import DARKEST, VOXELS
from hemocast.classical.learning import Cohort, deviance, folds
from hemocast.classical.measurements import (
    Float64Array,
    Measurements,
    Variable,
    require_variables,
)
from hemocast.classical.odds import expit
from hemocast.classical.svm import platt

LANDMARKS = 64
PENALTIES = tuple(float(x) for x in np.geomspace(1e-7, 1e-1, 7))
"""Of the squared norm of the score, per patient."""
CT = "voxel"
"""Stem of the variables that are the CT's own grey values: places where they are dark are none."""

PLACES = int(np.prod(VOXELS))
"""Of a scan: cells of its stack."""
_SAMPLED = 20_000
_JITTER = 1e-8


@dataclass(frozen=True, eq=False)
class FittedKernel:
    """A kernel regression on sets of places.

    Parameters
    ----------
    variables : tuple of Variable
        One map after the other, each of `VOXELS` in its order.
    centre, scale : ndarray of float64, shape (features,)
        Median and spread of what is seen of a place: of every map its value, then its difference
        from the place opposite.
    landmarks : ndarray of float64, shape (landmarks, features)
        Centres of groups of places of the training patients, in these units: nobody's own.
    width : float
        Of the Gaussian.
    weights : ndarray of float64, shape (landmarks,)
        Log odds.
    usual : float
        What the weights give for the mean place of the patients learned from.
    intercept : float
        Log odds of a patient all of whose places are usual.
    penalty : float
        Chosen.
    """

    variables: tuple[Variable, ...]
    centre: Float64Array
    scale: Float64Array
    landmarks: Float64Array
    width: float
    weights: Float64Array
    usual: float
    intercept: float
    penalty: float = 0.0

    def risk(self, patients: Measurements) -> Float64Array:
        """Give the risk of every patient, shape (n,)."""
        require_variables(patients, self.variables)
        means = np.array([self._kernel(one).mean(axis=0) for one in self._places(patients)])
        return np.asarray(
            expit(self.intercept + means.reshape(-1, len(self.weights)) @ self.weights - self.usual)
        )

    def places(self, patients: Measurements) -> Float64Array:
        """Give what every place of one patient adds to the log odds, shape `VOXELS`.

        Counted from the usual place, so that they add up to what stands beside the intercept; 0
        where there is no brain.
        """
        (seen,) = _seen(patients.part(np.array([0])))
        inside = np.isfinite(seen).all(axis=1)
        added = np.zeros(PLACES)
        standard = (seen[inside] - self.centre) / self.scale
        given = self._kernel(standard) @ self.weights - self.usual
        added[inside] = given / max(int(inside.sum()), 1)
        return added.reshape(VOXELS)

    def _places(self, patients: Measurements) -> Iterator[Float64Array]:
        for seen in _seen(patients):
            yield (_within(seen) - self.centre) / self.scale

    def _kernel(self, places: Float64Array) -> Float64Array:
        return gaussian(places, self.landmarks, self.width)


def learn_kernel(cohort: Cohort) -> FittedKernel:
    """Fit kernel spectral regression on sets of places.

    For two classes the spectral part has one response, the centred outcome; the score that comes
    nearest to it with a small norm is found by ridge regression in the space that the landmarks
    span. The penalty, and the logistic from score to risk, are chosen on patients out of the folds.

    Raises
    ------
    TooFewPatients
        Next to no events.

    References
    ----------
    Cai D, He X, Han J 2011, VLDB J 20:21-33, 10.1007/s00778-010-0189-3 (spectral regression).
    Scalzo F 2013 (kernel spectral regression of local cuboids of permeability maps to bleeding
    there) and Yu Y 2018, IEEE Trans Biomed Eng, 10.1109/TBME.2017.2783241. They learned from where
    the bleeding was; here only whether there was one is known, so a patient is the mean of the
    cuboids: Gärtner T 2002, ICML, 179-186 (kernels of sets). Landmarks: Williams CKI, Seeger M
    2001, NIPS 13:682-688.
    """
    cohort.require_events()
    outcome = cohort.outcome
    sets = [_within(seen) for seen in _seen(cohort.patients)]
    centre, scale = _spread(sets)
    landmarks, width = _landmarks([(one - centre) / scale for one in sets])
    means = np.array(
        [gaussian((one - centre) / scale, landmarks, width).mean(axis=0) for one in sets]
    )
    norm = gaussian(landmarks, landmarks, width)
    scores = np.zeros((len(PENALTIES), len(outcome)))
    for learned, tried in folds(cohort):
        for row, penalty in enumerate(PENALTIES):
            constant, weights = _regress(means[learned], outcome[learned], norm, penalty)
            scores[row, tried] = constant + means[tried] @ weights
    lines = [platt(score, outcome) for score in scores]
    lost = [
        deviance(outcome, expit(a + b * score)) for (a, b), score in zip(lines, scores, strict=True)
    ]
    best = int(np.argmin(lost))
    (a, b), penalty = lines[best], PENALTIES[best]
    constant, weights = _regress(means, outcome, norm, penalty)
    return FittedKernel(
        cohort.patients.variables, centre, scale, landmarks, width, b * weights, -b * constant, a,
        penalty,
    )  # fmt: skip


def gaussian(places: Float64Array, landmarks: Float64Array, width: float) -> Float64Array:
    """Compare places with landmarks, shape (places, landmarks): 1 where equal, 0 far away."""
    square = (places**2).sum(axis=1)[:, None] + (landmarks**2).sum(axis=1)
    away = np.maximum(square - 2 * places @ landmarks.T, 0)
    return np.asarray(np.exp(-away / (2 * width**2)))


def _seen(patients: Measurements) -> Iterator[Float64Array]:
    """Give what is seen of every patient's places, shape (places, features); NaN: no brain."""
    stems = [one.name.rpartition(" ")[0] for one in patients.variables[::PLACES]]
    for row in patients.values:
        maps = row.reshape(-1, *VOXELS)
        opposite = np.nan_to_num(maps - maps[..., ::-1])
        outside = np.zeros(VOXELS, bool)
        for stem, values in zip(stems, maps, strict=True):
            outside |= values < DARKEST if stem == CT else np.isnan(values)
        both = np.stack([*maps, *opposite])
        both[:, outside] = np.nan
        yield both.reshape(len(both), -1).T


def _within(seen: Float64Array) -> Float64Array:
    inside = seen[np.isfinite(seen).all(axis=1)]
    return inside if len(inside) else np.zeros((1, seen.shape[1]))


def _spread(sets: list[Float64Array]) -> tuple[Float64Array, Float64Array]:
    every = np.concatenate(sets)
    spread = every.std(axis=0)
    return np.median(every, axis=0), np.where(spread > 1e-9, spread, 1.0)


def _landmarks(sets: list[Float64Array]) -> tuple[Float64Array, float]:
    """Group the training patients' places; the width is the groups' usual distance."""
    from sklearn.cluster import KMeans

    every = np.concatenate(sets)
    rng = np.random.default_rng(0)
    some = every[rng.choice(len(every), min(_SAMPLED, len(every)), replace=False)]
    count = min(LANDMARKS, len(np.unique(some, axis=0)))
    found = KMeans(count, n_init=1, random_state=0).fit(some)
    landmarks = np.asarray(found.cluster_centers_, np.float64)
    apart = np.sqrt(((landmarks[:, None] - landmarks) ** 2).sum(axis=-1))
    usual = float(np.median(apart[np.triu_indices(count, 1)])) if count > 1 else 1.0
    return landmarks, max(usual / 2, 1e-3)


def _regress(
    means: Float64Array, outcome: Float64Array, norm: Float64Array, penalty: float
) -> tuple[float, Float64Array]:
    """Constant and weights of the score nearest to the centred outcome, its norm penalised."""
    middle, share = means.mean(axis=0), outcome.mean()
    centred, n = means - middle, len(outcome)
    gram = centred.T @ centred / n + penalty * norm + _JITTER * np.eye(len(norm))
    weights = np.linalg.solve(gram, centred.T @ (outcome - share) / n)
    return float(-middle @ weights), weights
