"""A reader study analysed: every reader and the mean reader beside the model, on the same scans.

A reader's decisions give sensitivity, specificity and the rest; a reader's **probabilities** give
the AUC. From decisions alone only a one-point "AUC" can be had, (sensitivity + specificity) / 2,
which is the balanced accuracy: it is set beside, under its own name, and is never compared with a
model's AUC.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hemocast.errors import StatisticsError
from hemocast.readers.analysis.agreement import AgreementPart, measure_agreement
from hemocast.readers.analysis.data import ReadingTable, common_rows, crossed
from hemocast.readers.analysis.mrmc import ReaderTest, aided_tests, model_tests
from hemocast.readers.analysis.ratings import Ratings, ratings_of
from hemocast.stats import (
    METRICS,
    Cases,
    Confusion,
    Estimate,
    Resampling,
    RocCurve,
    auc_interval,
    classification_metrics,
    evaluate,
    roc_curve,
)
from hemocast.stats.cases import ModelCases
from hemocast.stats.estimate import Float64Array, IntArray
from hemocast.stats.evaluation import resampled
from hemocast.stats.resampling.limits import percentile_limits

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
    roc : RocCurve or None
        Of the probabilities of a model or reader who gave one to every scan, of both classes.
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
    roc: RocCurve | None = None

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
    ratings : tuple of Ratings
        Probabilities scan by scan, of every arm where more than one rater gave any.
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
    ratings: tuple[Ratings, ...]
    n_resamples: int
    seed: int
    warnings: tuple[str, ...]


def analyse_readings(
    readings: ReadingTable,
    models: Sequence[ModelCases],
    resampling: Resampling = Resampling(),
) -> ReaderAnalysis:
    """Analyse a reader study.

    Parameters
    ----------
    readings : ReadingTable
        Repeats serve the agreement of readers with themselves alone.
    models : sequence of ModelCases
        Set beside the readers on the scans that anybody read.
    resampling : Resampling
        Of patients; the readers stay.
    """
    first = readings.part(readings.repeat == 0)
    read, at = np.unique(first.row, return_index=True)
    raters = [_model(model.on(read), resampling) for model in models]
    for arm in first.arms:
        own = first.part(first.arm == arm)
        raters += [_reader(own.part(own.reader == name), resampling) for name in own.readers]
        if len(own.readers) > 1:
            raters.append(_average(own, resampling))
    return ReaderAnalysis(
        n=read.size,
        n_patients=first.n_patients,
        n_positive=int(first.truth[at].sum()),
        readers=first.readers,
        arms=first.arms,
        raters=tuple(raters),
        tests=(*model_tests(first, models), *aided_tests(first)),
        agreement=measure_agreement(readings, models),
        times=_times(first),
        ratings=tuple(ratings_of(first, models)),
        n_resamples=resampling.n,
        seed=resampling.seed,
        warnings=(*_unobserved(readings), *_coverage(first, read)),
    )


def _unobserved(readings: ReadingTable) -> Iterator[str]:
    if n := readings.n_unobserved:
        yield f"readings of scans whose outcome was never observed, left out: {n}"


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


def _model(model: ModelCases, resampling: Resampling) -> Rater:
    score, cases = model.cases.score, model.cases
    said = Cases(cases.truth, score >= model.threshold, cases.patient)
    return _rater((model.name, "model", ""), said, score, resampling)


def _reader(own: ReadingTable, resampling: Resampling) -> Rater:
    own = own.part(np.argsort(own.row, kind="stable"))
    said = Cases(own.truth, own.decision, own.patient)
    names = (own.readers[0], "reader", own.arms[0])
    return _rater(names, said, own.probability, resampling)


def _rater(
    names: tuple[str, str, str], said: Cases, probability: Float64Array, resampling: Resampling
) -> Rater:
    drawn = evaluate(said, _SAID_YES, resampling)
    name, kind, arm = names
    return Rater(
        name=name,
        kind=kind,
        arm=arm,
        n=said.n,
        n_patients=said.n_patients,
        n_positive=said.n_positive,
        metrics=tuple((metric, drawn.headline(metric)) for metric in TABLE2),
        auc=_auc(said, probability),
        auc_one_point=drawn["balanced_accuracy"],
        cells=drawn.confusion,
        roc=_roc(said, probability),
    )


def _roc(said: Cases, probability: Float64Array) -> RocCurve | None:
    if np.isnan(probability).any() or not 0 < said.n_positive < said.n:
        return None
    return roc_curve(Cases(said.truth, probability, said.patient))


def _auc(said: Cases, probability: Float64Array) -> Estimate:
    missing = int(np.isnan(probability).sum())
    if missing:
        reason = f"no AUC: {missing} of {said.n} readings have no probability"
        return Estimate.bare(_NAN, said.n, reason)
    try:
        return auc_interval(Cases(said.truth, probability, said.patient))
    except StatisticsError as error:
        return Estimate.bare(_NAN, said.n, f"undefined: {error.seen}")


def _average(own: ReadingTable, resampling: Resampling) -> Rater:
    """Average the readers of one arm on the scans that all of them read; the readers stay fixed."""
    rows = common_rows(own)
    shared = own.part(np.isin(own.row, rows))
    nothing = Estimate.bare(_NAN, rows.size, "no scan was read by all")
    values, auc = dict.fromkeys((*TABLE2, "balanced_accuracy"), nothing), nothing
    if rows.size:
        said = crossed(shared, rows, shared.decision.astype(np.float64))
        values = _mean_of(said, resampling)
        auc = Estimate.bare(_NAN, rows.size, "not every reading has a probability")
        if not np.isnan(shared.probability).any():
            auc = _mean_of(crossed(shared, rows, shared.probability), resampling)["auc"]
    return Rater(
        name=f"Average of {len(own.readers)} readers",
        kind="average",
        arm=own.arms[0],
        n=rows.size,
        n_patients=shared.n_patients,
        n_positive=int(shared.truth[np.unique(shared.row, return_index=True)[1]].sum()),
        metrics=tuple((metric, values[metric]) for metric in TABLE2),
        auc=auc,
        auc_one_point=values["balanced_accuracy"],
        cells=None,
    )


def _mean_of(readers: Cases, resampling: Resampling) -> dict[str, Estimate]:
    """Mean over readers of every metric, with limits from resampled patients."""
    at = np.full(len(readers.scores), _SAID_YES)
    each = [classification_metrics(readers.rater(k), _SAID_YES).values for k in range(at.size)]
    whole = np.mean(each, axis=0)
    drawn = resampled(readers, at, resampling).mean(axis=0)
    method = "bootstrap of patients, percentile; the readers fixed"
    made = {}
    for k, metric in enumerate(METRICS):
        value, usable = float(whole[k]), drawn[k][np.isfinite(drawn[k])]
        if not np.isfinite(value):
            made[metric] = Estimate.bare(_NAN, readers.n, "undefined for at least one reader")
        elif usable.size < resampling.n / 2:
            made[metric] = Estimate.bare(value, readers.n, "undefined in most resamples")
        elif np.ptp(usable) == 0:
            made[metric] = Estimate.bare(value, readers.n, "no interval: all resamples agree")
        else:
            made[metric] = Estimate(value, *percentile_limits(usable), method, readers.n)
        made[metric] = made[metric].noted(readers.few)
    return made


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
