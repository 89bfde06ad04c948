"""A small neural network on measurements: one hidden layer, several starts, their mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hemocast.classical.design import Design
from hemocast.classical.learning import Cohort, deviance, folds
from hemocast.classical.measurements import Float64Array, Measurements
from hemocast.classical.odds import expit

HIDDEN = 6
DECAYS = (1.0, 10.0, 100.0)
STARTS = 5
_STEPS = 200


@dataclass(frozen=True, eq=False)
class Layers:
    """One network: ``tanh(x @ inner + inner_bias) @ outer + outer_bias``."""

    inner: Float64Array
    inner_bias: Float64Array
    outer: Float64Array
    outer_bias: float

    def logit(self, table: Float64Array) -> Float64Array:
        """Give the log odds, shape (n,)."""
        return np.asarray(
            np.tanh(table @ self.inner + self.inner_bias) @ self.outer + self.outer_bias
        )


@dataclass(frozen=True, eq=False)
class FittedNetwork:
    """Networks from several starts, whose risks are averaged.

    Parameters
    ----------
    design : Design
        How measurements become their columns.
    networks : tuple of Layers
    decay : float
        Chosen.
    """

    design: Design
    networks: tuple[Layers, ...]
    decay: float

    def risk(self, patients: Measurements) -> Float64Array:
        """Give the risk of every patient, shape (n,)."""
        return _mean_risk(self.networks, self.design.columns(patients))


def learn_network(cohort: Cohort) -> FittedNetwork:
    """Fit; the weight decay is the one of least deviance in folds.

    Raises
    ------
    TooFewPatients
        Next to no events.

    References
    ----------
    Dharmasaroja P, Dharmasaroja PA 2012, Neurol Res 34:120-128, 10.1179/1743132811Y.0000000067,
    among whose models is such a perceptron; its size and decay are our choice.
    """
    cohort.require_events()
    risks = np.full((len(DECAYS), len(cohort.outcome)), cohort.outcome.mean())
    for learned, tried in folds(cohort):
        part, table = cohort.outcome[learned], cohort.tables[0]
        for row, decay in enumerate(DECAYS):
            risks[row, tried] = _mean_risk(_networks([table[learned]], part, decay), table[tried])
    best = int(np.argmin([deviance(cohort.outcome, risk) for risk in risks]))
    networks = _networks(cohort.tables, cohort.outcome, DECAYS[best])
    return FittedNetwork(cohort.design, networks, DECAYS[best])


def _networks(
    tables: list[Float64Array], outcome: Float64Array, decay: float
) -> tuple[Layers, ...]:
    """Fit one network a start, each on an imputation of its own as far as there are so many."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    found = []
    for start in range(STARTS):
        model = MLPClassifier(
            (HIDDEN,), activation="tanh", solver="lbfgs", alpha=decay, max_iter=_STEPS,
            random_state=start,
        )  # fmt: skip
        with warnings.catch_warnings():
            # To stop early is part of the regularisation.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(tables[start % len(tables)], outcome)
        inner, outer = model.coefs_
        inner_bias, outer_bias = model.intercepts_
        found.append(Layers(inner, inner_bias, outer[:, 0], float(outer_bias[0])))
    return tuple(found)


def _mean_risk(networks: tuple[Layers, ...], table: Float64Array) -> Float64Array:
    return np.asarray(np.mean([expit(one.logit(table)) for one in networks], axis=0))
