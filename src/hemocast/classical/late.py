"""Record and scan joined in one model: two that learn apart, three coefficients between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemocast.classical.join import Fusion
from hemocast.classical.kernel import FittedKernel
from hemocast.classical.learning import Cohort, Fit, predict_out_of_fold
from hemocast.classical.logistic import FittedLogistic
from hemocast.classical.measurements import Float64Array, Measurements, Variable
from hemocast.classical.record import VARIABLES

OfImage = FittedLogistic | FittedKernel


@dataclass(frozen=True)
class FittedLate:
    """Two fitted models, and how their risks become one.

    Parameters
    ----------
    record : FittedLogistic
        Told of the clinical record.
    image : FittedLogistic or FittedKernel
        Told of everything else.
    join : Fusion
    """

    record: FittedLogistic
    image: OfImage
    join: Fusion

    def risk(self, patients: Measurements) -> Float64Array:
        """Give the risk of every patient, shape (n,); the image's own where nothing is recorded."""
        record, image = apart(patients)
        clinical = np.where(nothing_known(patients), np.nan, self.record.risk(record))
        return self.join.risk(clinical, self.image.risk(image)).risk

    def parts(self, patients: Measurements) -> Float64Array | None:
        """Give what every variable adds to the log odds, shape (n, variables).

        None where the image's model does not add, or nothing is recorded of somebody.
        """
        if not isinstance(self.image, FittedLogistic) or nothing_known(patients).any():
            return None
        record, image = apart(patients)
        added = np.zeros(patients.values.shape)
        of_record = _is_record(patients.variables)
        added[:, of_record] = self.join.clinical * self.record.parts(record)
        added[:, ~of_record] = self.join.image * self.image.parts(image)
        return added


def learn_late(
    fit_image: Callable[[Cohort], OfImage], fit_record: Callable[[Cohort], FittedLogistic]
) -> Fit:
    """Return how to fit both, and to join them by risks of models that never saw the patient.

    Parameters
    ----------
    fit_image, fit_record : callable
        Learn the image's part, and the record's.
    """

    def fit(cohort: Cohort) -> FittedLate:
        from hemocast.classical.fusion import learn_fusion  # predicting needs no statistics

        record, image = (
            Cohort(told, cohort.outcome, cohort.group) for told in apart(cohort.patients)
        )
        clinical = np.where(
            nothing_known(cohort.patients), np.nan, predict_out_of_fold(fit_record, record)
        )
        join = learn_fusion(cohort.outcome, clinical, predict_out_of_fold(fit_image, image))
        return FittedLate(fit_record(record), fit_image(image), join)

    return fit


def apart(patients: Measurements) -> tuple[Measurements, Measurements]:
    """Return what is recorded of patients, and all else that is known."""
    of_record = _is_record(patients.variables)
    record, image = (
        Measurements(
            tuple(
                one
                for one, own in zip(patients.variables, of_record, strict=True)
                if own == is_record
            ),
            patients.values[:, of_record == is_record],
        )
        for is_record in (True, False)
    )
    return record, image


def nothing_known(patients: Measurements) -> NDArray[np.bool_]:
    """Tell of whom nothing is recorded, shape (n,)."""
    of_record = _is_record(patients.variables)
    return np.asarray(np.isnan(patients.values[:, of_record]).all(axis=1))


def _is_record(variables: tuple[Variable, ...]) -> NDArray[np.bool_]:
    return np.array([one in VARIABLES for one in variables], dtype=bool)
