"""What calibrating to a new place would bring there, told on patients who did not calibrate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hemocast.dataset.split.schemes import split_folds
from hemocast.errors import StatisticsError, TooFewPatients
from hemocast.model.calibrate import Calibration
from hemocast.model.recalibrate import Change, recalibrate
from hemocast.stats import Cases, Estimate, brier, measure_calibration
from hemocast.stats.estimate import Float64Array, IntArray

FOLDS = 10
_SEED = 17


@dataclass(frozen=True)
class Fit:
    """How well probabilities fit outcomes.

    Parameters
    ----------
    observed_expected, slope : Estimate
    brier : float
    """

    observed_expected: Estimate
    slope: Estimate
    brier: float


@dataclass(frozen=True)
class Recalibration:
    """The model as it is, and as it would be.

    Parameters
    ----------
    change : Change
        What `hemocast recalibrate` would do with all of these patients.
    n_patients : int
        They.
    before, after : Fit
        On them; `after` by curves each fitted without the patients that it is measured on.
    """

    change: Change
    n_patients: int
    before: Fit
    after: Fit


def try_recalibration(
    calibration: Calibration, logit: Float64Array, label: IntArray, patient: IntArray
) -> Recalibration | None:
    """Recalibrate in turn without a tenth of the patients, and measure on that tenth.

    Parameters
    ----------
    calibration : Calibration
        The model's.
    logit : ndarray of float64, shape (n,)
        Its network's, of every scan.
    label, patient : ndarray of int, shape (n,)
        Outcome, and whose scan each is.

    Returns
    -------
    Recalibration or None
        None where a fold would lack patients of a class, or risks hardly differ.
    """
    outcome = {str(one): int(label[patient == one].max()) for one in np.unique(patient)}
    try:
        folds = split_folds(outcome, FOLDS, _SEED)
        after = np.empty(len(logit))
        for fold in folds:
            held = np.isin(patient.astype(str), list(fold.parts["test"]))
            local, _ = recalibrate(calibration, logit[~held], label[~held], patient[~held])
            after[held] = [local.probability(float(one)) for one in logit[held]]
        _, change = recalibrate(calibration, logit, label, patient)
        before = np.array([calibration.probability(float(one)) for one in logit])
        fits = [_fit(Cases(label, said, patient)) for said in (before, after)]
    except (TooFewPatients, StatisticsError):
        return None
    return Recalibration(change, len(outcome), *fits)


def _fit(cases: Cases) -> Fit:
    found = measure_calibration(cases)
    return Fit(found.observed_expected, found.slope, brier(cases))
