"""From a finished run to a model folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hemocast.classical.measured import MeasuredModel
from hemocast.model import (
    Model,
    Purpose,
    Recipe,
    TrainingFacts,
    fit_calibration,
    save_measured,
    save_model,
)
from hemocast.model.calibrate import Calibration
from hemocast.model.gate import learn_gate
from hemocast.train.data import StackTable
from hemocast.train.state import Fitted
from hemocast.volume import Stack


def pack(
    fitted: Fitted,
    folder: Path,
    purpose: Purpose,
    examples: Sequence[Stack],
    measured: NDArray[np.float64] | None = None,
    cases: StackTable | None = None,
) -> Model:
    """Calibrate a fitted network on its inner validation part and write the model folder.

    Parameters
    ----------
    fitted : Fitted
    folder : Path
        Must not exist, or be empty.
    purpose : Purpose
        What the model is for.
    examples : sequence of Stack
        See `hemocast.model.save_model`.
    measured : ndarray of float64, shape (n, features), optional
        `measure_features` of training scans, for the model's gate.
    cases : StackTable, optional
        Training scans that the page of a prediction may name; of a network alone.

    Raises
    ------
    OutputExists
        The folder holds something.
    ParityError
        The exported network computes something else than the trained one.
    """
    config, train, held = fitted.config, fitted.train, fitted.validation
    recipe = Recipe(
        config.net,
        config.prepare,
        calibration_of(fitted),
        TrainingFacts(
            data_hash=fitted.data_hash,
            n_patients=len(train.participants) + len(held.participants),
            n_scans=len(train) + len(held),
            prevalence=fitted.prevalence,
            refit=bool(fitted.refit),
        ),
        None
        if measured is None
        else learn_gate(measured, simulated=purpose.simulated_training_data),
        fitted.joined,
    )
    if isinstance(fitted.net, MeasuredModel):
        return save_measured(fitted.net, folder, purpose, recipe, examples)
    return save_model(fitted.net, folder, purpose, recipe, examples, cases=cases)


def calibration_of(fitted: Fitted) -> Calibration:
    """Fit the calibration to the inner validation part, every patient counting once."""
    held = fitted.validation
    return fit_calibration(
        held.label, fitted.validation_logit, held.patient_weights(), held.participant_id
    )
