"""A reader study analysed: every reader and the mean reader beside the model, on the same scans.

A reader's decisions give sensitivity, specificity and the rest; a reader's **probabilities** give
the AUC. From decisions alone only a one-point "AUC" can be had, (sensitivity + specificity) / 2,
which is the balanced accuracy: it is set beside, under its own name, and is never compared with a
model's AUC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hemocast.errors import StatisticsError
from hemocast.readers.analysis.agreement import AgreementPart, measure_agreement
from hemocast.readers.analysis.data import (
    RatedModel,
    ReadingTable,
    Reference,
    common_rows,
    grid,
)
from hemocast.readers.analysis.mrmc import ReaderTest, aided_tests, model_tests
from hemocast.stats import (
    METRICS,
    Confusion,
    Estimate,
    auc_interval,
    bootstrap_metrics,
    classification_metrics,
    confusion,
)
from hemocast.stats.estimate import BoolArray, FloatArray, IntArray
from hemocast.stats.resampling.limits import percentile_limits
from hemocast.stats.resampling.replicates import as_readings, resampled

TABLE2 = ("accuracy", "sensitivity", "ppv", "specificity", "f1")
"""From decisions; the AUC follows. In the order of the paper's Table 2."""
_SAID_YES = 0.5
_NAN = float("nan")


@dataclass(frozen=True)
class Rater:
    """One line of Table 2.

    Parameters
    ----------
    name, kind, arm : str
        Kind is ``"model"``, ``"reader"`` or ``"average"``; a model has the arm "".
    n, n_patients, n_positive : int
        Scans, patients, and scans with the outcome that the line rests on.
    metrics : tuple of (str, Estimate)
        `TABLE2`.
    auc : Estimate
        From probabilities.
    auc_one_point : Estimate
        From decisions: (sensitivity + specificity) / 2.
    cells : Confusion or None
        None for the average.
    """

    name: str
    kind: str
    arm: str
    n: int
    n_patients: int
    n_positive: int
    metrics: tuple[tuple[str, Estimate], ...]
    auc: Estimate
    auc_one_point: Estimate
    cells: Confusion | None

    def __getitem__(self, metric: str) -> Estimate:
        """Return one of `TABLE2`."""
        return dict(self.metrics)[metric]


@dataclass(frozen=True)
class ReadingTime:
    """Seconds per scan of one reader and arm: median and quartiles of `n` first readings."""

    reader: str
    arm: str
    n: int
    median: float
    low: float
    high: float


@dataclass(frozen=True)
class ReaderAnalysis:
    """The whole analysis.

    Parameters
    ----------
    n, n_patients, n_positive : int
        Scans that anybody read, their patients, and scans with the outcome.
    readers, arms : tuple of str
        Names.
    raters : tuple of Rater
        Table 2: models, then by arm the readers and their average.
    tests : tuple of ReaderTest
        Models against the readers, and aided against unaided.
    agreement : AgreementPart
        Between raters, and of each reader with their own repeats.
    times : tuple of ReadingTime
        Where they were measured.
    n_resamples, seed : int
        Of the bootstrap.
    warnings : tuple of str
        What to know first.
    """

    n: int
    n_patients: int
    n_positive: int
    readers: tuple[str, ...]
    arms: tuple[str, ...]
    raters: tuple[Rater, ...]
    tests: tuple[ReaderTest, ...]
    agreement: AgreementPart
    times: tuple[ReadingTime, ...]
    n_resamples: int
    seed: int
    warnings: tuple[str, ...]


def analyse_readings(
    readings: ReadingTable,
    reference: Reference,
    models: Sequence[RatedModel],
    *,
    n_resamples: int = 2000,
    seed: int = 0,
) -> ReaderAnalysis:
    """Analyse a reader study.

    Parameters
    ----------
    readings : ReadingTable
        Repeats serve the agreement of readers with themselves alone.
    reference : Reference
        The scans.
    models : sequence of RatedModel
        Set beside the readers on the scans that anybody read.
    n_resamples, seed : int
        Of the bootstrap, which resamples patients; the readers stay.
    """
    first = readings.part(readings.repeat == 0)
    read = np.unique(first.row)
    raters = [_model(model, read, reference, n_resamples, seed) for model in models]
    warnings = _coverage(first, read)
    for arm in first.arms:
        own = first.part(first.arm == arm)
        raters += [
            _reader(name, own.part(own.reader == name), reference, n_resamples, seed)
            for name in own.readers
        ]
        if len(own.readers) > 1:
            raters.append(_average(own, reference, n_resamples, seed))
    return ReaderAnalysis(
        n=read.size,
        n_patients=int(np.unique(reference.patient[read]).size),
        n_positive=int(reference.label[read].sum()),
        readers=first.readers,
        arms=first.arms,
        raters=tuple(raters),
        tests=(*model_tests(first, reference, models), *aided_tests(first, reference)),
        agreement=measure_agreement(readings, models),
        times=_times(first),
        n_resamples=n_resamples,
        seed=seed,
        warnings=warnings,
    )


def _coverage(readings: ReadingTable, read: IntArray) -> tuple[str, ...]:
    lacking = [
        f"{name} read {readings.part((readings.reader == name) & (readings.arm == arm)).row.size} "
        f"of {read.size} scans {arm}"
        for arm in readings.arms
        for name in readings.readers
        if 0 < ((readings.reader == name) & (readings.arm == arm)).sum() < read.size
    ]
    if not lacking:
        return ()
    return (
        "not every reader read every scan, so lines of Table 2 rest on different scans: "
        + ", ".join(lacking),
    )


def _model(
    model: RatedModel, read: IntArray, reference: Reference, n_resamples: int, seed: int
) -> Rater:
    rows = read[~np.isnan(model.probability[read])]
    scores = model.probability[rows]
    return _rater(
        (model.name, "model", ""), rows, scores >= model.threshold, scores, reference,
        n_resamples, seed,
    )  # fmt: skip


def _reader(
    name: str, own: ReadingTable, reference: Reference, n_resamples: int, seed: int
) -> Rater:
    order = np.argsort(own.row, kind="stable")
    return _rater(
        (name, "reader", str(own.arm[0])), own.row[order], own.decision[order],
        own.probability[order], reference, n_resamples, seed,
    )  # fmt: skip


def _rater(
    names: tuple[str, str, str],
    rows: IntArray,
    decision: BoolArray,
    probability: FloatArray,
    reference: Reference,
    n_resamples: int,
    seed: int,
) -> Rater:
    truth, patient = reference.label[rows], reference.patient[rows]
    said = decision.astype(np.float64)
    drawn = bootstrap_metrics(truth, said, _SAID_YES, patient, n_resamples, seed)
    name, kind, arm = names
    return Rater(
        name=name,
        kind=kind,
        arm=arm,
        n=rows.size,
        n_patients=int(np.unique(patient).size),
        n_positive=int(truth.sum()),
        metrics=tuple((metric, drawn[metric]) for metric in TABLE2),
        auc=_auc(truth, probability, patient),
        auc_one_point=drawn["balanced_accuracy"],
        cells=confusion(truth, said, _SAID_YES),
    )


def _auc(truth: BoolArray, probability: FloatArray, patient: IntArray) -> Estimate:
    missing = int(np.isnan(probability).sum())
    if missing:
        reason = f"no AUC: {missing} of {truth.size} readings have no probability"
        return Estimate(_NAN, _NAN, _NAN, "none", truth.size, reason)
    try:
        several = np.unique(patient).size < patient.size
        return auc_interval(truth, probability, patient if several else None)
    except StatisticsError as error:
        return Estimate(_NAN, _NAN, _NAN, "none", truth.size, f"undefined: {error.seen}")


def _average(own: ReadingTable, reference: Reference, n_resamples: int, seed: int) -> Rater:
    """Average the readers of one arm on the scans that all of them read; the readers stay fixed."""
    rows = common_rows(own)
    truth, patient = reference.label[rows], reference.patient[rows]
    said = grid(own, rows, own.decision.astype(np.float64))
    given = grid(own, rows, own.probability)
    metrics = {metric: _undefined(rows.size, "no scan was read by all") for metric in TABLE2}
    auc = one_point = _undefined(rows.size, "no scan was read by all")
    if rows.size:
        values = _mean_of(truth, said, patient, n_resamples, seed)
        metrics = {metric: values[metric] for metric in TABLE2}
        one_point = values["balanced_accuracy"]
        auc = _undefined(rows.size, "not every reading has a probability")
        if not np.isnan(given).any():
            auc = _mean_of(truth, given, patient, n_resamples, seed)["auc"]
    return Rater(
        name=f"Average of {len(own.readers)} readers",
        kind="average",
        arm=str(own.arm[0]),
        n=rows.size,
        n_patients=int(np.unique(patient).size),
        n_positive=int(truth.sum()),
        metrics=tuple(metrics.items()),
        auc=auc,
        auc_one_point=one_point,
        cells=None,
    )


def _mean_of(
    truth: BoolArray, scores: FloatArray, patient: IntArray, n_resamples: int, seed: int
) -> dict[str, Estimate]:
    """Mean over readers of every metric, with limits from resampled patients."""
    readings = as_readings(truth, scores, _SAID_YES, patient)
    whole = _means(truth, scores)
    drawn = resampled(readings, n_resamples, seed, stratified=False).mean(axis=0)
    method = "bootstrap of patients, percentile; the readers fixed"
    made = {}
    for at, metric in enumerate(METRICS):
        value, usable = float(whole[at]), drawn[at][np.isfinite(drawn[at])]
        if not np.isfinite(value):
            made[metric] = _undefined(truth.size, "undefined for at least one reader")
        elif usable.size < n_resamples / 2:
            why = "undefined in most resamples"
            made[metric] = Estimate(value, _NAN, _NAN, "none", truth.size, why)
        else:
            low, high = percentile_limits(usable)
            made[metric] = Estimate(value, low, high, method, truth.size)
    return made


def _means(truth: BoolArray, scores: FloatArray) -> FloatArray:
    """Mean over readers of every metric of the data themselves, in the order of `METRICS`."""
    values = [classification_metrics(truth, row, _SAID_YES).values for row in scores]
    return np.asarray(np.mean(values, axis=0), dtype=np.float64)


def _undefined(n: int, reason: str) -> Estimate:
    return Estimate(_NAN, _NAN, _NAN, "none", n, reason)


def _times(readings: ReadingTable) -> tuple[ReadingTime, ...]:
    made = []
    for arm in readings.arms:
        for name in readings.readers:
            own = readings.seconds[(readings.reader == name) & (readings.arm == arm)]
            own = own[~np.isnan(own)]
            if own.size:
                low, median, high = (float(x) for x in np.quantile(own, [0.25, 0.5, 0.75]))
                made.append(ReadingTime(name, arm, own.size, median, low, high))
    return tuple(made)
