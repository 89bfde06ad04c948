"""Fit a model from measurements to a table of stacks and their patients' record."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from hemocast.classical.harmonise import harmonise
from hemocast.classical.learning import Cohort, Fit, predict_out_of_fold
from hemocast.classical.measured import MeasuredModel
from hemocast.classical.measurements import Measurements, Variable
from hemocast.classical.odds import finite_logit
from hemocast.classical.recipes import RECIPES, measure, needs_map, needs_record, needs_signs
from hemocast.config import Config
from hemocast.train.data import StackTable
from hemocast.train.state import Fitted


def fit_measured(data: StackTable, config: Config) -> Fitted:
    """Fit the model of ``config.net.name``.

    With ``config.train.harmonise`` site effects are taken out of the signs that are learned from,
    anew in every fold; whoever it is asked about later enters with the signs as they are.

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
    cohort = cohort_of(data, measure(recipe.views, data.frames, record, maps, signs))
    cohort.require_events()
    fit = recipe.fit
    if config.train.harmonise and signs is not None:
        fit = _without_sites(fit, data, signs.variables)
    risk = predict_out_of_fold(fit, cohort)
    labels = data.patient_labels()
    return Fitted(
        config=config,
        net=MeasuredModel(recipe.views, fit(cohort)),
        best_epoch=0,
        history=(),
        train=data.of(()),
        validation=data,
        validation_logit=finite_logit(risk).astype(np.float32),
        data_hash=data.content_hash(record, maps, signs),
        prevalence=sum(labels.values()) / len(labels),
    )


def cohort_of(data: StackTable, told: Measurements) -> Cohort:
    """Return the scans of a table as a cohort: the scans of a patient are a group."""
    _, group = np.unique(np.array(data.participant_id), return_inverse=True)
    return Cohort(told, np.array(data.label, dtype=np.float64), group)


def _without_sites(fit: Fit, data: StackTable, signs: Collection[Variable]) -> Fit:
    """Take site effects out of the signs of those, and of those alone, who are learned from."""
    first = np.unique(np.array(data.participant_id), return_index=True)[1]
    site = np.array(data.sites())[first]  # by the number of the patient's group
    return lambda cohort: fit(
        replace(cohort, patients=harmonise(cohort.patients, site[cohort.group].tolist(), signs))
    )
