"""From a finished run to a model folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hemocast.config import Config
from hemocast.model import Model, TrainingFacts, fit_calibration, save_model
from hemocast.train.course import Fitted
from hemocast.volume import Stack


def pack(
    fitted: Fitted,
    config: Config,
    folder: Path,
    *,
    name: str,
    version: str,
    horizon: str,
    population: str,
    simulated_training_data: bool,
    examples: Sequence[Stack],
    notes: str = "",
) -> Model:
    """Calibrate a fitted network on its inner validation part and write the model folder.

    Parameters
    ----------
    fitted : Fitted
    config : Config
        The one `fit` was called with.
    folder : Path
        Must not exist, or be empty.
    name, version, horizon, population, simulated_training_data, examples, notes
        See `hemocast.model.save_model`.

    Raises
    ------
    OutputExists
        The folder holds something.
    ParityError
        The exported network computes something else than the trained one.
    """
    patients = fitted.validation_participant_id
    weight = np.array([1 / patients.count(patient) for patient in patients])
    return save_model(
        fitted.net,
        folder,
        name=name,
        version=version,
        horizon=horizon,
        population=population,
        simulated_training_data=simulated_training_data,
        net_config=config.net,
        prepare=config.prepare,
        calibration=fit_calibration(fitted.validation_label, fitted.validation_logit, weight),
        training=TrainingFacts(
            data_hash=fitted.data_hash,
            n_patients=len(fitted.train_participants) + len(fitted.validation_participants),
            n_scans=fitted.n_scans,
            prevalence=fitted.prevalence,
        ),
        examples=examples,
        notes=notes,
    )
