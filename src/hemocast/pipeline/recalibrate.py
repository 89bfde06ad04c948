"""Predictions with their outcomes in; a model folder calibrated on these patients, out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hemocast.dataset.split.by_patient import part_hash
from hemocast.dataset.tables.columns import Fault, named_as, refuse
from hemocast.errors import UsageError
from hemocast.evaluate.inputs.predictions import read_predictions
from hemocast.files import check_folder, reserved
from hemocast.model import Change, load, load_default, recalibrate, save_recalibrated
from hemocast.pipeline.predictions.names import key_of_table
from hemocast.tables import called, read_table

if TYPE_CHECKING:
    from hemocast.evaluate.inputs.predictions import PredictionTable
    from hemocast.model import Calibration, Model
    from hemocast.model.schema import Description

_SAME = 2e-5
"""How far a table's probabilities, of six digits, may lie from the model's."""


@dataclass(frozen=True)
class RecalibrationOptions:
    """What to calibrate, and for whom.

    Parameters
    ----------
    model : Path, optional
        The model folder that predicted; the demonstration model where left out.
    labels : Path, optional
        A table of outcomes, where the predictions hold none.
    sensitivity : float, optional
        Choose the threshold for it.
    population : str, optional
        Of whom the probabilities are then; the model's own where left out.
    key : Path, optional
        For labels by ``patient_id``; see `key_of_table`.
    """

    model: Path | None = None
    labels: Path | None = None
    sensitivity: float | None = None
    population: str | None = None
    key: Path | None = None


@dataclass(frozen=True)
class Recalibrated:
    """A recalibrated model, and what was changed.

    Parameters
    ----------
    model : Model
        As loaded from its folder.
    before : Calibration
        That of the model given.
    change : Change
        How much was changed.
    observed, expected : float
        Share of these patients with HT, and the mean probability that the model gave them.
    """

    model: Model
    before: Calibration
    change: Change
    observed: float
    expected: float


def recalibrate_files(
    predictions: Path, out: Path, options: RecalibrationOptions | None = None
) -> Recalibrated:
    """Calibrate a model on patients of one's own; the network stays as it is.

    Parameters
    ----------
    predictions : Path
        What ``hemocast predict`` wrote with this model, of patients it never learned from; labels
        as a column or a table of their own.
    out : Path
        Folder for the model; new or empty.
    options : RecalibrationOptions, optional

    Raises
    ------
    OutputExists
        The folder holds something.
    NothingThere, TableError
        A table is missing or bad, or holds no logits.
    UsageError
        The predictions are several models', or not this model's as it is.
    StatisticsError
        All patients have one outcome.
    """
    options = options or RecalibrationOptions()
    check_folder(out, "model")
    source = load_default() if options.model is None else load(options.model)
    key = key_of_table(predictions, options.key)
    table = read_predictions(predictions, labels=options.labels, key=key)
    before = source.description.calibration
    logit = logits_of(predictions, table)
    said = np.array([before.probability(one) for one in logit])
    if len(table.models) > 1 or np.abs(said - table.models[0].cases.score).max() > _SAME:
        raise UsageError(
            "The probabilities in the table are not those that this model gives, as it is",
            "a table of one model's predictions, made without --prevalence, and that model",
            "Name the model that predicted with --model, or predict again",
        )
    with reserved(out, "recalibrating"):
        calibration, change = recalibrate(
            before, logit, table.truth, table.patient, options.sensitivity
        )
        says = source.description
        changed = says.model_copy(
            update={
                "calibration": calibration,
                "recalibrated": change,
                "recalibrated_on": part_hash(sorted(set(table.participant))),
                "version": f"{says.version.partition('+')[0]}+local",
                "population": options.population or says.population,
            }
        )
        model = save_recalibrated(options.model, out, changed, _note(calibration, changed))
    weight = 1 / np.bincount(table.patient)[table.patient]
    return Recalibrated(
        model, before, change,
        float(np.average(table.truth, weights=weight)), float(np.average(said, weights=weight)),
    )  # fmt: skip


def logits_of(path: Path, table: PredictionTable) -> NDArray[np.float64]:
    """Read the column of logits of a table of predictions.

    Parameters
    ----------
    path : Path
        The table.
    table : PredictionTable
        What was read from it, of one model.

    Returns
    -------
    ndarray of float64, shape (n,)
        In the order of the model's cases.

    Raises
    ------
    TableError
        There is no such column, or it holds no numbers.
    """
    import pandas as pd

    name = called(path)
    text = named_as(read_table(path), ("scan_id", "logit"), name)
    if "logit" not in text.columns:
        why = "the network's answers: predictions of this version hold them; predict again"
        refuse((Fault(name, "logit", (), why),))
    text["scan_id"] = text["scan_id"].str.strip()
    rows = text.drop_duplicates("scan_id").set_index("scan_id").loc[list(table.scan), "logit"]
    numbers = pd.to_numeric(rows, errors="coerce").to_numpy(np.float64)
    if not np.isfinite(numbers).all():
        bad = set(table.scan[~np.isfinite(numbers)])
        places = tuple(int(row) + 2 for row in text.index[text["scan_id"].isin(bad)])
        refuse((Fault(name, "logit", places, "a finite number"),))
    return np.asarray(numbers[table.models[0].rows])


_WORDS = {
    Change.KEPT: "The curve was kept: these patients give no reason to change it.",
    Change.MOVED: "All log odds were moved by one amount; the curve's slope was kept.",
    Change.REFITTED: "The curve was refitted to these patients.",
}


def _note(calibration: Calibration, changed: Description) -> str:
    """Say on the card what was done, and what then holds."""
    change = changed.recalibrated or Change.KEPT
    if calibration.sensitivity is None:
        rule = "their prevalence" if change is not Change.KEPT else "as before"
    else:
        rule = f"the highest with a sensitivity of {calibration.sensitivity:.0%} among them"
    sets = calibration.label_sets
    learned = f"{sets.n_with} with HT and {sets.n_without} without" if sets else "none"
    return (
        "## Recalibrated\n"
        f"On {calibration.n_scans} scans of {calibration.n_patients} patients. {_WORDS[change]}\n"
        "What is said above about probability, threshold and label sets holds no longer:\n"
        f"threshold {calibration.threshold:.3f} ({rule}), prevalence assumed "
        f"{calibration.assumed:.3f}, label sets from {learned}.\n"
        f"Receipt of the patients (SHA-256 of their pseudonyms): {changed.recalibrated_on}. "
        "On them this model is not to be judged."
    )
