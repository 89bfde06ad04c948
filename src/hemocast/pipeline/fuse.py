"""Out-of-fold risks and a clinical table in; the image's increment, and joined risks, out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from hemocast.classical.fusion import (
    THRESHOLDS,
    ByTreatment,
    Increment,
    by_treatment,
    fuse_out_of_fold,
    measure_increment,
)
from hemocast.classical.join import Fused, clipped_logit
from hemocast.classical.late import nothing_known
from hemocast.classical.learning import Cohort, predict_out_of_fold
from hemocast.classical.logistic import learn_ridge
from hemocast.classical.measurements import Float64Array
from hemocast.classical.odds import expit
from hemocast.classical.record import read_record_file, treatments_of
from hemocast.errors import UsageError
from hemocast.evaluate.inputs.predictions import PredictionTable, read_predictions
from hemocast.files import claim, json_text, table_text
from hemocast.pipeline.predictions.names import key_of_table
from hemocast.stats import Estimate, Resampling

KIND = "fusion"
MODELS = ("clinical record", "image", "fusion")


@dataclass(frozen=True, eq=False)
class FusedPatients:
    """One row a patient.

    Parameters
    ----------
    participant, scan : tuple of str
        Keys; of several scans the first.
    cohort : Cohort
        Outcomes and clinical record.
    clinical, image : ndarray of float64, shape (n,)
        Out-of-fold risks; the clinical one NaN where nothing is known of the patient.
    fused : Fused
    increment : Increment
    treatments : ByTreatment
    simulated : bool
        The predictions say so.
    """

    participant: tuple[str, ...]
    scan: tuple[str, ...]
    cohort: Cohort
    clinical: Float64Array
    image: Float64Array
    fused: Fused
    increment: Increment
    treatments: ByTreatment
    simulated: bool


def fuse_files(
    predictions: Path, clinical: Path, out: Path, resamples: int, key: Path | None = None
) -> FusedPatients:
    """Join the risks of scans with the clinical record of their patients.

    Parameters
    ----------
    predictions : Path
        ``predictions.csv`` of one model, each row from a network that never saw the patient, as
        ``hemocast crossval`` writes it; that it is so cannot be seen from the numbers.
    clinical : Path
        A table, or a dataset's folder; see `read_record_file`.
    out : Path
        Folder for ``increment.json`` and ``predictions.csv``.
    resamples : int
        For net benefit.
    key : Path, optional
        For a record by ``patient_id``; see `key_of_table`.

    Raises
    ------
    NothingThere, TableError, UsageError
        A table that cannot be used.
    TooFewPatients, StatisticsError
        Too few patients of a class.
    OutputExists, NotWritable, InUse
        The folder cannot be written to.
    """
    table = read_predictions(predictions)
    if len(table.models) != 1:
        raise UsageError(
            f"The predictions are of {len(table.models)} models", "one", "Keep the rows of one"
        )
    first, image = _of_patients(table)
    participant = tuple(str(one) for one in table.participant[first])
    record = read_record_file(clinical, participant, key_of_table(predictions, key))
    outcome = table.truth[first].astype(np.float64)
    cohort = Cohort(record, outcome, np.arange(len(outcome)))
    known = ~nothing_known(record)
    cohort.part(known).require_events()
    with claim(out, KIND) as folder:
        risk = np.full(len(outcome), np.nan)
        risk[known] = predict_out_of_fold(learn_ridge, cohort.part(known))
        fused = fuse_out_of_fold(cohort, risk, image)
        result = FusedPatients(
            participant,
            tuple(str(one) for one in table.scan[first]),
            cohort,
            risk,
            image,
            fused,
            measure_increment(cohort, risk, image, Resampling(resamples)),
            by_treatment(outcome, fused.risk, treatments_of(record)),
            table.simulated,
        )
        folder.write_all(
            {"increment.json": json_text(_summary(result)), "predictions.csv": _rows(result)}
        )
    return result


def _of_patients(table: PredictionTable) -> tuple[np.ndarray, Float64Array]:
    """Place of every patient's first scan, and the mean of the logits of all."""
    (model,) = table.models
    patient = table.patient[model.rows]
    known, first, number = np.unique(patient, return_index=True, return_inverse=True)
    logits = clipped_logit(model.cases.probability())
    mean = np.bincount(number, weights=logits) / np.bincount(number)
    return model.rows[first], expit(mean[: known.size])


def _estimate(one: Estimate) -> dict[str, object]:
    return {
        name: None if isinstance(value, float) and not np.isfinite(value) else value
        for name, value in asdict(one).items()
    }


def _summary(result: FusedPatients) -> dict[str, object]:
    found, strata = result.increment, result.treatments
    tested = strata.df > 0
    return {
        "simulated": result.simulated,
        "n": len(result.participant),
        "n_events": result.cohort.events,
        "image_alone": int(result.fused.image_alone.sum()),
        "auc_clinical": _estimate(found.clinical),
        "auc_fused": _estimate(found.fused),
        "auc_increment": _estimate(found.auc),
        "likelihood_ratio": {"statistic": found.likelihood_ratio, "df": 1, "p": found.p},
        "net_benefit_increment": [
            {"threshold": at, **_estimate(one)}
            for at, one in zip(THRESHOLDS, found.net_benefit, strict=True)
        ],
        "by_treatment": [
            {"treatment": one.name, "n": one.n, "n_events": one.events,
             "auc": _estimate(one.auc), "observed_over_expected": one.ratio}
            for one in strata.strata
        ],
        "treatment_interaction": {
            "statistic": strata.statistic if tested else None,
            "df": strata.df,
            "p": strata.p if tested else None,
            "warning": strata.warning,
        },
    }  # fmt: skip


def _rows(result: FusedPatients) -> str:
    risks = dict(zip(MODELS, (result.clinical, result.image, result.fused.risk), strict=True))
    rows = [
        {"participant_id": person, "scan_id": scan, "label": int(label), "model": name,
         "probability": float(risk[at])}
        for name, risk in risks.items()
        for at, (person, scan, label) in enumerate(
            zip(result.participant, result.scan, result.cohort.outcome, strict=True)
        )
        if np.isfinite(risk[at])
    ]  # fmt: skip
    columns = ["participant_id", "scan_id", "label", "model", "probability"]
    if not result.simulated:
        return table_text(rows, columns)
    return table_text(({**row, "simulated": 1} for row in rows), [*columns, "simulated"])
