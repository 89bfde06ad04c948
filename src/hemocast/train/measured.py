"""Fit a model from measurements to a table of stacks and their patients' record."""

from __future__ import annotations

import numpy as np

from hemocast.classical.harmonise import harmonise
from hemocast.classical.learning import Cohort, predict_out_of_fold
from hemocast.classical.measured import MeasuredModel
from hemocast.classical.measurements import Measurements
from hemocast.classical.odds import finite_logit
from hemocast.classical.recipes import RECIPES, measure, needs_map, needs_record, needs_signs
from hemocast.config import Config
from hemocast.train.data import StackTable
from hemocast.train.state import Fitted


def fit_measured(data: StackTable, config: Config) -> Fitted:
    """Fit the model of ``config.net.name``.

    With ``config.train.harmonise`` site effects are taken out of the signs that are learned from;
    whoever it is asked about later enters with the signs as they are.

    Choices such as a penalty are made in folds of patients. It learns from all of them; its
    calibration is for the out-of-fold logits of models that were chosen and fitted without the
    scan's patient, so that no patient has to be set apart.

    Parameters
    ----------
    data : StackTable
        Scans of the training and validation patients, whose dataset holds the clinical record.
    config : Config
        ``config.net.name`` is used.

    Returns
    -------
    Fitted
        Its validation part is all of `data`.

    Raises
    ------
    TooFewPatients
        Next to no patients of a class.
    TableError
        A clinical table with cells that cannot be, or maps that are not of these scans.
    NoMap, NoSigns
        The model needs a map, or signs, of every scan, and there are none.
    """
    recipe = RECIPES[config.net.name]
    record = data.record() if needs_record(recipe.views) else None
    maps = data.maps() if needs_map(recipe.views) else None
    signs = data.signs() if needs_signs(recipe.views) else None
    data_hash = data.content_hash(record, maps, signs)
    if config.train.harmonise and signs is not None:
        signs = harmonise(signs, data.sites())
    cohort = cohort_of(data, measure(recipe.views, data.frames, record, maps, signs))
    cohort.require_events()
    risk = predict_out_of_fold(recipe.fit, cohort)
    labels = data.patient_labels()
    return Fitted(
        config=config,
        net=MeasuredModel(recipe.views, recipe.fit(cohort)),
        best_epoch=0,
        history=(),
        train=data.of(()),
        validation=data,
        validation_logit=finite_logit(risk).astype(np.float32),
        data_hash=data_hash,
        prevalence=sum(labels.values()) / len(labels),
    )


def cohort_of(data: StackTable, told: Measurements) -> Cohort:
    """Return the scans of a table as a cohort: the scans of a patient are a group."""
    _, group = np.unique(np.array(data.participant_id), return_inverse=True)
    return Cohort(told, np.array(data.label, dtype=np.float64), group)
